#!/usr/bin/python3
"""What the gateway says about itself: the $SYS tree as Mosquitto has it.

The pain: dashboards and scripts read $SYS by Mosquitto's names; a bridge that delivers nothing looks like one that
does.
"""

import re
from pathlib import Path

from support import Case, bridge, free_port, main, rule, wait_for

ROOT = "$SYS/broker/"
PAGE = Path(__file__).resolve().parents[2] / "gateway/status/SYS-TOPICS.md"
# Its tree without what other programs of the test connect: the bridges' states and the log.
APART = re.compile(r"\$SYS/broker/(connection|log)/")


class Sys(Case):
    def subscribed(self, broker, topic="$SYS/#", seconds=3):
        """What a new subscriber of the real client is sent: {topic: [value, ...]}, and which of it was retained."""
        done = self.run_program("mosquitto_sub", "-p", broker.port, "-t", topic, "-W", seconds, "-F", "%r\t%t\t%p",
                                timeout=seconds + 20)
        values, retained = {}, set()
        for line in done.stdout.splitlines():
            flag, name, value = line.split("\t", 2)
            values.setdefault(name, []).append(value)
            if flag == "1":
                retained.add(name)
        return values, retained

    def wait_tree(self, broker):
        """Until the tree is there."""
        with broker.client() as client:
            client.subscribe(ROOT + "uptime", qos=0)
            self.assertEqual(len(client.messages(1)), 1)

    def value(self, client, name):
        """A function that returns the newest value of a topic, as `client` sees it, which subscribes here."""
        topic = ROOT + name
        client.subscribe(topic, qos=0)

        def newest():
            client.ping()
            found = [message for message in client.inbox if message.topic == topic]
            return found[-1].payload.decode() if found else None
        return newest

    def test_has_every_name_of_mosquittos_tree(self):
        other = self.mosquitto(["sys_interval 1"]).start()
        gateway = self.gateway().start()
        self.wait_tree(other)
        self.wait_tree(gateway)
        theirs, _ = self.subscribed(other)
        ours, _ = self.subscribed(gateway)
        self.assertGreater(len(theirs), 40)
        self.assertEqual({name for name in theirs if not APART.match(name)} - set(ours), set())
        for name in ("uptime", "load/messages/received/1min", "clients/connected"):
            form = re.sub(r"\d+", "N", theirs[ROOT + name][0])
            self.assertEqual(re.sub(r"\d+", "N", ours[ROOT + name][0]), form, name)

    def test_page_and_published_names_agree(self):
        gateway = self.gateway(bridge(free_port(), [rule("data/#")], name="cloud")).start()
        self.wait_tree(gateway)
        published, retained = self.subscribed(gateway)
        causes = {name.split("/dropped/")[1] for name in published if "/bridge/cloud/dropped/" in name}
        self.assertIn("queue_full", causes)
        wanted = set()
        for name in re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), re.M):
            name = ROOT + name.replace("NAME", "cloud")
            wanted |= {name.replace("CAUSE", cause) for cause in causes} if "CAUSE" in name else {name}
        beside = {ROOT + "connection/gw.cloud/state", ROOT + "bridge/cloud/status"}
        self.assertEqual(set(published), wanted | beside)
        self.assertEqual(retained, set(published), "who comes later gets all of it at once")

    def test_what_has_not_changed_is_not_published_again(self):
        gateway = self.gateway().start()
        self.wait_tree(gateway)
        values, _ = self.subscribed(gateway, seconds=4)
        self.assertGreater(len(values[ROOT + "uptime"]), 1)
        for name in ("version", "timestamp", "clients/maximum", "load/publish/dropped/15min"):
            self.assertEqual(len(values[ROOT + name]), 1, name)

    def test_counts_what_clients_do(self):
        gateway = self.gateway().start()
        watch = self.client(gateway, "watch")
        with gateway.client("a", clean=False) as device:
            device.subscribe("t", qos=1)
            for number in range(10):
                device.publish("t", "12345", 1)
            device.publish("kept", "x", 1, retain=True)
        received = self.value(watch, "publish/messages/received")
        wait_for(lambda: received() == "11", "11 messages are counted")
        expected = {"publish/bytes/received": "51", "clients/connected": "1", "clients/disconnected": "1",
                    "clients/total": "2", "clients/maximum": "2"}
        for name, wanted in expected.items():
            newest = self.value(watch, name)
            wait_for(lambda newest=newest, wanted=wanted: newest() == wanted, f"{name} is {wanted}")
        for name in ("bytes/received", "bytes/sent", "messages/received", "messages/sent", "heap/current",
                     "heap/maximum", "store/messages/count", "store/messages/bytes", "retained messages/count"):
            newest = self.value(watch, name)
            wait_for(lambda newest=newest: int(newest()) > 10, f"{name} is counted")
        self.assertEqual(self.value(watch, "subscriptions/count")().isdigit(), True)
        load = self.value(watch, "load/publish/received/1min")
        wait_for(lambda: float(load()) > 1, "the load average has seen them")
        self.assertGreater(float(load()), float(self.value(watch, "load/publish/received/15min")()))

    def test_tells_what_was_dropped_and_why(self):
        gateway = self.gateway(limits={"max_queued_messages": 3}).start()
        with gateway.client("away", clean=False) as away:
            away.subscribe("t", qos=1)
        with gateway.client("device") as device:
            for _ in range(10):
                device.publish("t", "x", 1)
        watch = self.client(gateway, "watch")
        for name in ("publish/messages/dropped", "publish/messages/dropped/queue_full"):
            newest = self.value(watch, name)
            wait_for(lambda newest=newest: newest() == "7", f"{name} is 7")

    def test_a_bridge_has_topics_of_its_own_until_it_is_removed(self):
        gateway = self.gateway(bridge(free_port(), [rule("data/#")])).start()
        with gateway.client("device") as device:
            for _ in range(5):
                device.publish("data/x", "12345", 1)
            device.publish("data/x", "12345", 0)
        watch = self.client(gateway, "watch")
        for name, wanted in {"queue/messages": "5", "delivered": "0", "dropped": "1", "dropped/qos0_link_down": "1",
                             "state": "waiting"}.items():
            newest = self.value(watch, "bridge/cloud/" + name)
            wait_for(lambda newest=newest, wanted=wanted: newest() == wanted, f"{name} is {wanted}")
        age = self.value(watch, "bridge/cloud/queue/oldest_age")
        wait_for(lambda: int(age()) >= 2, "the oldest message grows older")
        self.assertRegex(self.value(watch, "bridge/cloud/last_error")(), "^tcp: ")
        gateway.config["bridges"] = []
        gateway.reload()
        state = self.value(watch, "bridge/cloud/state")
        wait_for(lambda: state() == "", "its topics are taken back")
        values, _ = self.subscribed(gateway, ROOT + "bridge/#", seconds=1)
        self.assertEqual(values, {})

    def test_off_takes_the_tree_back(self):
        gateway = self.gateway().start()
        watch = self.client(gateway, "watch")
        uptime = self.value(watch, "uptime")
        wait_for(uptime, "the tree is there")
        gateway.config["gateway"]["sys_interval"] = "off"
        gateway.reload()
        wait_for(lambda: uptime() == "", "it is taken back")
        values, _ = self.subscribed(gateway, seconds=1)
        self.assertEqual(values, {})


if __name__ == "__main__":
    main()
