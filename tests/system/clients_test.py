#!/usr/bin/python3
"""The clients people use work as they are: Mosquitto's, Paho Python, MQTT.js.

The pain: a gateway that knows its own client only. And the sum of it all: 50 MB from devices over the bridge into a
Mosquitto, where each message arrives, once, in order of its publisher.
"""

import json
import shutil
import subprocess
import threading
import unittest

import paho.mqtt.client as paho

from support import HERE, Case, Child, bridge, main, rule, wait_for


def need_mqttjs():
    """scripts/test fetches it; who runs this file alone gets it here, at the versions of the lock file."""
    if not (HERE / "node_modules/mqtt").exists():
        subprocess.run(["npm", "ci", "--prefix", str(HERE), "--ignore-scripts", "--no-audit", "--no-fund"], check=True,
                       capture_output=True, timeout=300)


class MosquittosClients(Case):
    def pub(self, gateway, topic, message, *options):
        done = self.run_program("mosquitto_pub", "-p", gateway.port, "-t", topic, "-m", message, *options)
        self.assertEqual(done.returncode, 0, done.stderr)

    def sub(self, gateway, name, *options, wait=True):
        """Running, and subscribed (a kept session may be through before its SUBACK comes)."""
        child = self.keep(Child(name, ["stdbuf", "-oL", "mosquitto_sub", "-p", gateway.port, "-i", name, "-d", "-F",
                                       "got %t %q %r %p", *options], self.folder)).spawn()
        if wait:
            child.wait_log(r"Subscribed \(mid")
        return child

    # [MQTT-4.2-1] [MQTT-7.0.0-2 of 3.1.1]
    def test_every_version_and_qos(self):
        gateway = self.gateway().start()
        for version in ("mqttv31", "mqttv311", "mqttv5"):
            for qos in (0, 1, 2):
                with self.subTest(version=version, qos=qos):
                    sub = self.sub(gateway, f"s{version}{qos}", "-t", "a/+/c", "-q", qos, "-V", version, "-C", 2)
                    self.pub(gateway, "a/b/c", "one", "-q", qos, "-V", version)
                    self.pub(gateway, "a/x/c", "two words", "-q", qos, "-V", version)
                    self.assertEqual(sub.wait(), 0)
                    got = [line for line in sub.log_text().splitlines() if line.startswith("got ")]
                    self.assertEqual(got, [f"got a/b/c {qos} 0 one", f"got a/x/c {qos} 0 two words"])

    def test_retained(self):
        gateway = self.gateway().start()
        for version in ("mqttv311", "mqttv5"):
            with self.subTest(version):
                self.pub(gateway, "kept/a", "value", "-r", "-q", 1, "-V", version)
                sub = self.sub(gateway, "first-" + version, "-t", "kept/#", "-C", 1, "-q", 1, "-V", version)
                self.assertEqual(sub.wait(), 0)
                self.assertIn("got kept/a 1 1 value", sub.log_text())
                self.pub(gateway, "kept/a", "", "-r", "-q", 1, "-V", version)
                sub = self.sub(gateway, "second-" + version, "-t", "kept/#", "-C", 1, "-q", 1, "-V", version)
                self.pub(gateway, "kept/b", "live", "-q", 1)
                self.assertEqual(sub.wait(), 0)
                self.assertIn("got kept/b 1 0 live", sub.log_text())

    def test_will(self):
        gateway = self.gateway().start()
        for version in ("mqttv311", "mqttv5"):
            with self.subTest(version):
                watch = self.sub(gateway, "watch-" + version, "-t", "will/#", "-q", 1, "-C", 1)
                dying = self.sub(gateway, "dying-" + version, "-t", "x", "-V", version, "--will-topic", "will/it",
                                 "--will-payload", "died", "--will-qos", 1)
                dying.kill()
                self.assertEqual(watch.wait(), 0)
                self.assertIn("got will/it 1 0 died", watch.log_text())

    def test_kept_sessions(self):
        gateway = self.gateway().start()
        for version in ("mqttv311", "mqttv5"):
            with self.subTest(version):
                session = ["-t", "s/#", "-q", 1, "-c", "-V", version, *(["-x", 600] if version == "mqttv5" else [])]
                done = self.run_program("mosquitto_sub", "-p", gateway.port, "-i", "away" + version, *session, "-E")
                self.assertEqual(done.returncode, 0, done.stderr)
                for number in range(5):
                    self.pub(gateway, f"s/{number}", "waits", "-q", 1)
                gateway.kill()
                gateway.start()
                back = self.sub(gateway, "away" + version, *session, "-C", 5, wait=False)
                self.assertEqual(back.wait(), 0)
                got = [line for line in back.log_text().splitlines() if line.startswith("got ")]
                self.assertEqual(got, [f"got s/{number} 1 0 waits" for number in range(5)])


class PahoPython(Case):
    def device(self, gateway, name, version, clean=True):
        options = {} if version == paho.MQTTv5 else {"clean_session": clean}
        device = paho.Client(name, protocol=version, **options)
        device.max_inflight_messages_set(50)
        device.reconnect_delay_set(1, 1)
        device.connect("127.0.0.1", gateway.port)
        device.loop_start()
        self.addCleanup(device.loop_stop)
        self.addCleanup(device.disconnect)
        wait_for(device.is_connected, "Paho is connected")
        return device

    def test_every_qos_in_order(self):
        gateway = self.gateway().start()
        for version in (paho.MQTTv311, paho.MQTTv5):
            for qos in (0, 1, 2):
                with self.subTest(version=version, qos=qos):
                    subscriber = self.device(gateway, f"sub-{version}-{qos}", version)
                    publisher = self.device(gateway, f"pub-{version}-{qos}", version)
                    got, subscribed = [], threading.Event()
                    subscriber.on_message = lambda *args, got=got: got.append((args[2].qos, int(args[2].payload)))
                    subscriber.on_subscribe = lambda *_, subscribed=subscribed: subscribed.set()
                    subscriber.subscribe("data/#", qos)
                    self.assertTrue(subscribed.wait(20))
                    for number in range(500):
                        publisher.publish("data/x", number, qos)
                    wait_for(lambda got=got: len(got) == 500, "500 arrive")
                    self.assertEqual(got, [(qos, number) for number in range(500)])

    def test_it_goes_on_over_a_kill_of_the_gateway(self):
        """QoS 1 through the bridge while the gateway dies twice: all arrive, first ones in order."""
        remote = self.mosquitto().start()
        gateway = self.gateway(bridge(remote.port, [rule("data/#")])).start()
        with remote.client("cloud", timeout=60) as cloud:
            cloud.subscribe("data/#")
            device = self.device(gateway, "device", paho.MQTTv311, clean=False)
            published = []
            device.on_publish = lambda *args: published.append(args[2])
            for number in range(1500):
                device.publish("data/x", number, 1)
                if number in (500, 1000):
                    wait_for(lambda wanted=number - 100: len(published) > wanted, "some are acknowledged")
                    gateway.kill()
                    gateway.start()
            wait_for(lambda: len(set(published)) == 1500, "all are acknowledged", 60)
            cloud.until(lambda: len({m.payload for m in cloud.inbox}) == 1500)
            first_seen = list(dict.fromkeys(int(m.payload) for m in cloud.inbox))
            self.assertEqual(first_seen, list(range(1500)))


@unittest.skipUnless(shutil.which("node") and shutil.which("npm"), "needs node and npm")
class MqttJs(Case):
    def run_device(self, gateway, role, version, count):
        need_mqttjs()
        done = self.run_program("node", HERE / "mqttjs_device.js", role, gateway.port, version, count)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_every_qos_and_retained(self):
        gateway = self.gateway().start()
        for version in (4, 5):
            with self.subTest(version=version):
                said = self.run_device(gateway, "echo", version, 100)
                self.assertEqual(said["granted"], 2)
                for qos in (0, 1, 2):
                    got = [each for each in said["heard"] if each[0] == f"js/echo/{qos}"]
                    self.assertEqual(got, [[f"js/echo/{qos}", number, qos, False] for number in range(100)])
                self.assertEqual(said["retained"], ["js/kept", "kept", True])

    def test_through_the_bridge_over_a_kill_of_the_gateway(self):
        need_mqttjs()
        remote = self.mosquitto().start()
        for version in (4, 5):
            with self.subTest(version=version):
                gateway = self.gateway(bridge(remote.port, [rule("js/#")]), name=f"gateway{version}")
                gateway.config["store"]["path"] += str(version)
                gateway.start()
                with remote.client("cloud", timeout=60) as cloud:
                    cloud.subscribe("js/data")
                    device = self.keep(Child(f"js{version}", ["node", HERE / "mqttjs_device.js", "publish",
                                                              gateway.port, version, 2000], self.folder)).spawn()
                    cloud.until(lambda cloud=cloud: len(cloud.inbox) >= 300)
                    gateway.kill()
                    gateway.start()
                    cloud.until(lambda cloud=cloud: len({m.payload for m in cloud.inbox}) == 2000)
                    first_seen = list(dict.fromkeys(int(m.payload) for m in cloud.inbox))
                    self.assertEqual(sorted(first_seen), list(range(1, 2001)))
                    self.assertEqual(device.wait(), 0, device.log_text())
                    self.assertEqual(json.loads(device.log_text())["acknowledged"], 2000)
                gateway.terminate()


class FiftyMegabytes(Case):
    def test_each_message_crosses_once_and_in_order(self):
        """50,000 messages of 1 KiB from 5 devices to the remote, checked by sequence number."""
        remote = self.mosquitto().start()
        gateway = self.gateway(bridge(remote.port, [rule("load/#", remote_prefix="up/")], window=200)).start()
        remote.wait_log(r"as gw\.cloud")
        report = self.load("-p", gateway.port, "--sub-port", remote.port, "--sub-prefix", "up/", "-q", 1, "-P", 5,
                           "-n", 50_000, "--payload", 1024, "--quiet", 10, "--strict", timeout=120)
        self.assertEqual((report["received"], report["lost"], report["reordered"], report["duplicated"]),
                         (50_000, 0, 0, 0), report)
        print(f"{report['per_second']:.0f} messages per second", flush=True)


if __name__ == "__main__":
    main()
