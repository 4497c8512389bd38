#!/usr/bin/python3
"""Mosquitto's own clients work as they are: mosquitto_pub, mosquitto_sub, mosquitto_rr.

The pain: scripts that have to be written anew for another broker. And the sum of it all: 50 MB from devices over the
bridge into a Mosquitto, where each message arrives, once, in order of its publisher.
"""

import threading

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from support import Case, Child, bridge, main, rule
from transport_case import TransportCase

VERSIONS = ("mqttv31", "mqttv311", "mqttv5")


class MosquittosClients(TransportCase):
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
        for version in VERSIONS:
            for qos in (0, 1, 2):
                with self.subTest(version=version, qos=qos):
                    sub = self.sub(gateway, f"s{version}{qos}", "-t", "a/+/c", "-q", qos, "-V", version, "-C", 2)
                    self.pub(gateway, "a/b/c", "one", "-q", qos, "-V", version)
                    self.pub(gateway, "a/x/c", "two words", "-q", qos, "-V", version)
                    self.assertEqual(sub.wait(), 0)
                    got = [line for line in sub.log_text().splitlines() if line.startswith("got ")]
                    self.assertEqual(got, [f"got a/b/c {qos} 0 one", f"got a/x/c {qos} 0 two words"])

    def ways(self, gateway):
        """What each way in asks for on the command line; the last `-p` counts."""
        trust = ["-h", "localhost", "--cafile", self.folder / "certs/ca.crt"]
        return {
            "tls": ["-p", self.way(gateway, "tls")["port"], *trust],
            "tls1.2": ["-p", self.way(gateway, "tls")["port"], *trust, "--tls-version", "tlsv1.2"],
            "psk": ["-p", self.way(gateway, "psk")["port"], "--psk-identity", "meter1", "--psk", "0123abcd"],
            "unix": ["--unix", self.way(gateway, "unix")["path"]],
        }

    def test_every_way_in(self):
        gateway = self.serve_every_way()
        for version in VERSIONS:
            for way, options in self.ways(gateway).items():
                with self.subTest(version=version, way=way):
                    sub = self.sub(gateway, f"{version}-{way}", "-t", "way/#", "-q", 2, "-V", version, "-C", 1,
                                   *options)
                    self.pub(gateway, "way/x", way, "-q", 2, "-V", version, *options)
                    self.assertEqual(sub.wait(), 0)
                    self.assertIn(f"got way/x 2 0 {way}\n", sub.log_text())
        gateway.wait_log(r'client_id="mqttv5-unix" peer=unix:')

    def test_a_user_logs_in(self):
        user, password = self.make_user("anna")
        gateway = self.gateway(access={"users": [user]})
        gateway.config["listeners"][0]["allow_anonymous"] = False
        gateway.start()
        for version in VERSIONS:
            with self.subTest(version):
                login = ["-V", version, "-u", "anna", "-P", password]
                sub = self.sub(gateway, "in-" + version, "-t", "in/#", "-C", 1, *login)
                self.pub(gateway, "in/x", "let in", *login)
                self.assertEqual(sub.wait(), 0)
                self.assertIn("got in/x 0 0 let in", sub.log_text())
                for wrong in ([], ["-u", "anna", "-P", "guess"]):
                    done = self.run_program("mosquitto_pub", "-p", gateway.port, "-t", "in/x", "-m", "", "-V", version,
                                            *wrong)
                    self.assertNotEqual(done.returncode, 0)
                    self.assertRegex(done.stderr.lower(), "not authori|bad user name or password")

    def start_service(self, gateway):
        """Answers in capitals, where the request says."""
        service, ready = paho.Client("service", protocol=paho.MQTTv5), threading.Event()

        def answer(client, _data, request):
            properties = Properties(PacketTypes.PUBLISH)
            properties.UserProperty = request.properties.UserProperty
            to = request.properties.ResponseTopic
            client.publish(to, request.payload.upper(), request.qos, properties=properties)
        service.on_message = answer
        service.on_subscribe = lambda *_: ready.set()
        service.connect("127.0.0.1", gateway.port)
        service.subscribe("dev/service", 2)
        service.loop_start()
        self.addCleanup(service.loop_stop)
        self.addCleanup(service.disconnect)
        self.assertTrue(ready.wait(20))

    def test_a_request_gets_its_response(self):
        gateway = self.serve_every_way()
        self.start_service(gateway)
        for way, options in {"plain": ["-p", gateway.port], **self.ways(gateway)}.items():
            for qos in (0, 1, 2):
                with self.subTest(way=way, qos=qos):
                    done = self.run_program(
                        "mosquitto_rr", "-t", "dev/service", "-e", "dev/answers", "-q", qos, "-m", f"how warm? {qos}",
                        "-W", 20, "-D", "publish", "user-property", "unit", "°C", "-F", "%p %P", *options)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertEqual(done.stdout.split(), ["HOW", "WARM?", str(qos), "unit:°C"])

    def test_retained(self):
        gateway = self.gateway().start()
        for version in VERSIONS:
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
        for version in VERSIONS:
            with self.subTest(version):
                watch = self.sub(gateway, "watch-" + version, "-t", "will/#", "-q", 1, "-C", 1)
                dying = self.sub(gateway, "dying-" + version, "-t", "x", "-V", version, "--will-topic", "will/it",
                                 "--will-payload", "died", "--will-qos", 1)
                dying.kill()
                self.assertEqual(watch.wait(), 0)
                self.assertIn("got will/it 1 0 died", watch.log_text())

    def test_kept_sessions(self):
        gateway = self.gateway().start()
        for version in VERSIONS:
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
