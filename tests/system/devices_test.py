#!/usr/bin/python3
"""Devices made with the libraries that people use: Paho Python, Paho C++ and MQTT.js, all held to the same promises.

The pain: a gateway that goes well with the one library that its makers use. A program per library is in `devices`, and
all take the same commands (README.md, "Devices").
"""

import json
import os
import time
import unittest

from support import HERE, Child, bridge, main, need_npm_packages, rule
from transport_case import TransportCase

PAHO_CPP = os.environ.get("TIDEGATE_PAHO_DEVICE", str(HERE.parents[1] / "build/release/tests/system/paho-device"))


class Promises:
    """`command` starts the device."""

    command = ()
    in_order = True  # whether the library itself keeps the order over a lost connection
    ways_over_kills = ("tls", "wss")
    kills = (100, 300)  # when the gateway dies: so many are acknowledged
    sleeps_over_kills = False  # with QoS 2: it sees the gateway dead only once that is back

    def trust_of(self, way):
        """The environment of a device that comes that way."""
        more = {"CA_FILE": str(self.folder / "certs/ca.crt")} if way in ("tls", "wss") else {}
        return {**os.environ, **more}

    def run_device(self, gateway, role, version=5, count=100, way="lan"):
        done = self.run_program(*self.command, role, self.url(gateway, way), version, count, env=self.trust_of(way))
        self.assertEqual(done.returncode, 0, done.stderr + gateway.log_text()[-3000:])
        return json.loads(done.stdout)

    def start_device(self, gateway, role, *arguments, way="lan"):
        name = f"{role}-{way}-{'-'.join(map(str, arguments))}"
        return self.keep(Child(name, [*self.command, role, self.url(gateway, way), *arguments], self.folder,
                               self.trust_of(way))).spawn()

    def test_every_qos_by_every_way(self):
        gateway = self.serve_every_way()
        for way, version, count in (("lan", 3, 100), ("lan", 4, 500), ("lan", 5, 500), ("tls", 4, 100), ("tls", 5, 100),
                                    ("ws", 4, 100), ("ws", 5, 100), ("wss", 5, 100)):
            with self.subTest(way=way, version=version):
                said = self.run_device(gateway, "echo", version, count, way)
                self.assertEqual(said["granted"], 2)
                for qos in (0, 1, 2):
                    got = [each for each in said["heard"] if each[0] == f"dev/echo/{qos}"]
                    self.assertEqual(got, [[f"dev/echo/{qos}", number, qos, False] for number in range(count)])
                self.assertTrue(said["large"], "300 KB came back whole")
                self.assertEqual(said["retained"], ["dev/kept", "kept", True])

    def publish_over_kills(self, gateway, version, qos, count=600, way="lan"):
        device = self.start_device(gateway, "publish", version, count, qos, way=way)
        for acknowledged in self.kills:
            device.wait_log(f'"acknowledged": ?{acknowledged}')
            sleeps = self.sleeps_over_kills and qos == 2
            if sleeps:
                device.pause()
            gateway.kill()
            gateway.start()
            if sleeps:
                device.resume()
        self.assertEqual(device.wait(60), 0, device.log_text())
        return [str(number).encode() for number in range(count)]

    def test_the_cloud_gets_everything_over_kills_of_the_gateway(self):
        remote = self.mosquitto().start()
        for version in (4, 5):
            with self.subTest(version=version):
                gateway = self.gateway(bridge(remote.port, [rule("dev/data")]), name=f"gateway{version}")
                gateway.config["store"]["path"] += str(version)
                gateway.start()
                with remote.client("cloud", timeout=60) as cloud:
                    cloud.subscribe("dev/data")
                    numbers = self.publish_over_kills(gateway, version, 1)
                    cloud.until(lambda cloud=cloud: len({m.payload for m in cloud.inbox}) == len(numbers))
                    first_seen = list(dict.fromkeys(m.payload for m in cloud.inbox))
                    self.assertEqual(first_seen if self.in_order else sorted(first_seen, key=int), numbers)
                gateway.terminate()

    def test_qos_2_is_exactly_once_over_kills_of_the_gateway(self):
        """A session that was away all the time gets each number once."""
        gateway = self.serve_every_way()
        for version, way in zip((4, 5), self.ways_over_kills):
            with self.subTest(version=version, way=way):
                with gateway.client("away", clean=False) as away:
                    away.subscribe("dev/data", qos=2)
                numbers = self.publish_over_kills(gateway, version, 2, way=way)
                with gateway.client("away", clean=False) as back:
                    got = [m.payload for m in back.messages(len(numbers))]
                    self.assertEqual(got if self.in_order else sorted(got, key=int), numbers)
                    back.ping()
                    self.assertEqual(back.inbox, [])
                gateway.client("away").close()

    def test_a_kept_session_waits_over_a_restart_and_a_will_tells_of_the_end(self):
        gateway = self.serve_every_way()
        for version, way in zip((4, 5), self.ways_over_kills):
            with self.subTest(version=version, way=way):
                device = self.start_device(gateway, "stay", version, way=way)
                device.wait_log('"subscribed": ?2')
                device.pause()
                gateway.kill()
                gateway.start()
                with gateway.client("station") as station:
                    for number in range(6):
                        station.publish("dev/stay/x", str(number), qos=number % 2 + 1)
                device.resume()
                device.wait_log('"connected": ?true')
                device.wait_log(r'"dev/stay/x", ?"5"')
                lines = [json.loads(line) for line in device.log_text().splitlines()]
                for qos in (1, 2):
                    self.assertEqual([line["heard"] for line in lines if "heard" in line and line["heard"][2] == qos],
                                     [["dev/stay/x", str(number), qos] for number in range(qos - 1, 6, 2)])
                with gateway.client("watch") as watch:
                    watch.subscribe("dev/will")
                    begin = time.monotonic()
                    device.kill()
                    self.assertEqual(watch.messages(1)[0].payload, b"gone")
                    if version == 5:
                        self.assertGreater(time.monotonic() - begin, 0.9, "its will asks for a second")
                gateway.client("dev-stay").disconnect()

    def test_a_request_and_its_answer_carry_their_properties(self):
        gateway = self.serve_every_way()
        sent = {"correlation": "0001feff", "user": [["unit", "°C"]], "content_type": "text/plain", "utf8": True,
                "expires": True}
        self.assertEqual(self.run_device(gateway, "ask"),
                         {"asked": {"payload": "how warm?", **sent}, "answered": {"payload": "HOW WARM?", **sent}})


class PahoPython(Promises, TransportCase):
    command = ("/usr/bin/python3", HERE / "devices/paho_device.py")
    ways_over_kills = ("lan", "ws")  # its thread dies of an SSLEOFError where TLS is cut as it writes
    sleeps_over_kills = True  # after a second vain try to connect, it publishes anew what it has released already


@unittest.skipUnless(os.path.exists(PAHO_CPP), "its program is not built")
class PahoCpp(Promises, TransportCase):
    command = (PAHO_CPP,)
    kills = (100,)  # it takes seconds to come back
    in_order = False  # what it publishes again comes later
    sleeps_over_kills = True  # a write that fails with the link may be the end of its message


class MqttJs(Promises, TransportCase):
    command = ("node", HERE / "devices/mqttjs_device.js")
    in_order = False

    @classmethod
    def setUpClass(cls):
        need_npm_packages()

    def test_topic_aliases_both_ways(self):
        gateway = self.serve_every_way()
        said = self.run_device(gateway, "aliases")
        a, b = "dev/alias/a", "dev/alias/b"
        self.assertEqual(said["heard"], [[topic, str(number)] for number in range(3) for topic in (a, b)])
        self.assertEqual(said["sent"], [[a, 1], [b, 2], ["", 1], ["", 2], ["", 1], ["", 2]])
        self.assertEqual([topic for topic, _ in said["received"]][-2:], ["", ""])

    def test_a_burst_beyond_the_receive_maximum(self):
        """It sends 5,000 at once where it was told 1,000: closed for that, it sent them again, out of order."""
        gateway = self.serve_every_way()
        for version in (4, 5):
            with self.subTest(version=version):
                said = self.run_device(gateway, "burst", version, 5000)
                self.assertEqual(said["closed"], 0, gateway.log_text())
                self.assertEqual(said["heard"], list(range(5000)))

    def test_members_of_a_shared_subscription_get_each_message_once(self):
        gateway = self.serve_every_way()
        said = self.run_device(gateway, "share", count=300)
        self.assertEqual(said["numbers"], list(range(300)))
        self.assertEqual(said["shares"], [100, 100, 100])

    def test_subscriptions_are_served_as_their_options_say(self):
        gateway = self.serve_every_way()
        said = self.run_device(gateway, "options")
        self.assertEqual(said["heard"], [["dev/options/new", "new", True, [7]],
                                         ["dev/options/both", "both", False, [7, 8]]])


if __name__ == "__main__":
    main()
