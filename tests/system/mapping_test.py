#!/usr/bin/python3
"""Rules carry what they say, under the names they say, once; and what comes from the cloud is not lost on the box.

The pain: loops with direction `both`; the prefix not applied to retained messages; commands from the cloud lost by a
crash between the cloud's acknowledgement and the device.
"""

import signal
import threading

from raw_mqtt import PUBACK, PUBLISH, SUBSCRIBE, Client, Message
from support import Case, bridge, free_port, main, rule, wait_for


class Mapping(Case):
    def pair(self, *rules, **more):
        """A Mosquitto, and a gateway that is connected to it."""
        remote = self.mosquitto().start()
        gateway = self.gateway(bridge(remote.port, list(rules), **more)).start()
        remote.wait_log(r"Sending SUBACK to gw\.cloud" if any(r["direction"] != "out" for r in rules)
                        else r"New client connected from \S+ as gw\.cloud")
        return remote, gateway

    def test_prefixes_rename_as_in_mosquittos_topic_lines(self):
        """Each line: local topic, remote topic; what has no rule stays where it is."""
        out = [
            (rule("a/#", remote_prefix="plants/7/"), "a/b/c", "plants/7/a/b/c"),
            (rule("b/#", local_prefix="line3/"), "line3/b/x", "b/x"),
            (rule("c/+/d", local_prefix="here/", remote_prefix="there/"), "here/c/1/d", "there/c/1/d"),
            (rule("", local_prefix="one/topic", remote_prefix="another/topic"), "one/topic", "another/topic"),
            (rule("e/#"), "e", "e"),
        ]
        inward = [
            (rule("f/#", "in", local_prefix="cloud/"), "cloud/f/1", "f/1"),
            (rule("g/#", "in", remote_prefix="cmd/gw/"), "g/1", "cmd/gw/g/1"),
            (rule("h/+", "in", local_prefix="in/", remote_prefix="from/"), "in/h/2", "from/h/2"),
            (rule("", "in", local_prefix="set/here", remote_prefix="set/there"), "set/here", "set/there"),
        ]
        both = [(rule("k/#", "both", local_prefix="l/", remote_prefix="r/"), "l/k/1", "r/k/1")]
        remote, gateway = self.pair(*(each[0] for each in out + inward + both))
        with gateway.client("device") as device, remote.client("cloud") as cloud:
            cloud.subscribe("#")
            device.subscribe("#")
            for _, local, far in out + both:
                device.publish(local, local, 1)
                self.assertEqual(cloud.messages(1), [Message(far, local.encode(), 1)])
                self.assertEqual(device.messages(1), [Message(local, local.encode(), 1)])
            for _, local, far in inward + both:
                cloud.publish(far, far, 1)
                self.assertEqual(device.messages(1), [Message(local, far.encode(), 1)])
                self.assertEqual(cloud.messages(1), [Message(far, far.encode(), 1)])
            for topic in ("f/1", "here/c/1/2/d", "nothing", "A/b"):
                device.publish(topic, "stays", 1)
                cloud.publish("x" + topic, "stays", 1)
            device.publish("a/last", "", 1)
            self.assertEqual([m.topic for m in cloud.messages(5)][-1], "plants/7/a/last")
            self.assertEqual([m.topic for m in device.messages(5)],
                             ["f/1", "here/c/1/2/d", "nothing", "A/b", "a/last"])

    def check_no_loop(self, **more):
        remote, gateway = self.pair(rule("loop/#", "both"), rule("mark/#", "both"), **more)
        with gateway.client("device") as device, remote.client("cloud") as cloud:
            cloud.subscribe("#")
            device.subscribe("#")
            for number in range(10):
                device.publish(f"loop/{number}", "from here", 1)
                cloud.publish(f"loop/{number}", "from there", 1)
                device.publish(f"loop/q0/{number}", "from here", 0)
            # Two turns through both brokers come after whatever went round before them.
            for turn in range(2):
                device.publish("mark/out", str(turn), 1)
                cloud.until(lambda: cloud.inbox and cloud.inbox[-1].topic == "mark/out")
                cloud.publish("mark/in", str(turn), 1)
                device.until(lambda: device.inbox and device.inbox[-1].topic == "mark/in")
                device.ping()
                cloud.ping()
            for client in (device, cloud):
                heard = [(m.topic, m.payload) for m in client.inbox if m.topic.startswith("loop/")]
                self.assertEqual(len(heard), 30, heard)
                self.assertEqual(len(set(heard)), 30)

    def test_both_does_not_loop_on_5_0(self):
        self.check_no_loop(protocol_version="5.0")

    def test_both_does_not_loop_on_3_1_1(self):
        self.check_no_loop(protocol_version="3.1.1")

    def test_retained_messages_cross_as_retained_under_the_mapped_name(self):
        remote, gateway = self.pair(rule("r/#", remote_prefix="up/"), rule("s/#", retain="clear"),
                                    rule("t/#", "in", local_prefix="down/"))
        with gateway.client("device") as device, remote.client("cloud") as cloud:
            device.publish("r/1", "kept", 1, retain=True)
            device.publish("s/1", "not kept there", 1, retain=True)
            cloud.publish("t/1", "kept here", 1, retain=True)
            device.subscribe("down/t/#")
            device.messages(1)
            cloud.subscribe("up/r/end")
            device.publish("r/end", "", 1)
            cloud.messages(1)
        with gateway.client("late") as late, remote.client("late-cloud") as cloud:
            cloud.subscribe("up/#", "s/#")
            cloud.ping()
            self.assertEqual(cloud.inbox, [Message("up/r/1", b"kept", 1, retain=True)])
            late.subscribe("down/#")
            late.ping()
            self.assertEqual(late.inbox, [Message("down/t/1", b"kept here", 1, retain=True)])

    def test_qos_0_waits_for_the_remote_only_where_a_rule_says_so(self):
        port = free_port()
        gateway = self.gateway(bridge(port, [rule("kept/#", queue_qos0=True), rule("lost/#")])).start()
        with gateway.client("device") as device, gateway.client("watch") as watch:
            for number in range(5):
                device.publish(f"lost/{number}", "x", 0)
                device.publish(f"kept/{number}", "x", 0)
            device.ping()
            status = self.status(watch)
            wait_for(lambda: status()["dropped_by_cause"]["qos0_link_down"] == 5, "what is not kept is counted")
            self.assertEqual(status()["queue_messages"], 5)
        gateway.kill()
        gateway.start()
        remote = self.mosquitto(port=port, persistent=True)
        remote.start()
        with remote.client("cloud") as cloud:
            cloud.subscribe("#")
            with gateway.client("device") as device:
                device.publish("kept/last", "x", 1)
            cloud.until(lambda: any(m.topic == "kept/last" for m in cloud.inbox))
            topics = [m.topic for m in cloud.inbox if not m.topic.startswith("$")]
        wanted = [f"kept/{number}" for number in range(5)] + ["kept/last"]
        self.assertEqual(topics[-1], "kept/last")
        self.assertEqual([t for t in wanted if t in topics], topics)

    def test_a_command_from_the_cloud_reaches_a_device_that_is_away(self):
        remote, gateway = self.pair(rule("cmd/#", "in"))
        with gateway.client("sleeper", clean=False) as sleeper:
            sleeper.subscribe("cmd/#")
        with remote.client("cloud") as cloud, gateway.client("awake") as awake:
            awake.subscribe("cmd/#")
            for number in range(100):
                cloud.publish(f"cmd/{number}", str(number), 1)
            self.assertEqual(len(awake.messages(100)), 100)
        gateway.kill()
        gateway.start()
        with gateway.client("sleeper", clean=False) as sleeper:
            self.assertTrue(sleeper.session_present)
            self.assertEqual([m.topic for m in sleeper.messages(100)], [f"cmd/{number}" for number in range(100)])

    def test_a_command_survives_a_kill_right_after_the_cloud_got_its_puback(self):
        """The cloud deletes what was acknowledged: from that moment on only this box has it."""
        acknowledged = threading.Event()
        rounds = []

        def cloud(peer, stream):
            end = Client.serve(stream, acknowledges=False)
            while True:
                received = end.receive(60)
                if received.kind == SUBSCRIBE:
                    end.grant(received)
                    for command in rounds[-1:]:
                        end.publish(f"cmd/{command}", str(command), 1, wait=False)
                elif received.kind == PUBLISH:
                    message = end.parse_publish(received)
                    if message.qos:
                        end.acknowledge(message)
                elif received.kind == PUBACK and not acknowledged.is_set():
                    gateway.process.kill()
                    acknowledged.set()

        peer = self.peer(cloud)
        line = bridge(peer.port, [rule("cmd/#", "in")], clean_session=True, protocol_version="5.0")
        gateway = self.gateway(line).start()
        with gateway.client("sleeper", clean=False) as sleeper:
            sleeper.subscribe("cmd/#")
        gateway.kill()
        for command in range(1, 11):
            acknowledged.clear()
            rounds.append(command)
            gateway.start()
            self.assertTrue(acknowledged.wait(20), "no PUBACK for the command")
            gateway.kill()
            rounds.clear()
            acknowledged.set()
            gateway.start()
            with gateway.client("sleeper", clean=False) as sleeper:
                sleeper.until(lambda wanted=str(command).encode(): wanted in [m.payload for m in sleeper.inbox], 10)
                got = [int(m.payload) for m in sleeper.inbox]
                self.assertIn(command, got, f"round {command}")
                # Those of earlier rounds come again while their PUBACKs were not on disk at a kill; none comes early.
                self.assertLessEqual(max(got), command)
                self.assertEqual(got, sorted(got))
                sleeper.ping()
            gateway.kill()

    def check_inbox_at_a_start(self, before_the_end=lambda *_: None):
        """The cloud gets a PUBACK after the gateway's last turn, then comes a kill: only the inbox has the command."""
        ending, links, sent = threading.Event(), [], []

        def cloud(_, stream):
            end = Client.serve(stream, acknowledges=False)
            while True:
                received = end.receive(60)
                if received.kind == SUBSCRIBE:
                    end.grant(received)
                    if not links:
                        end.publish("cmd/hello", "of the first link", 1, wait=False)
                    links.append(end)
                elif received.kind == PUBACK and sent:
                    gateway.process.kill()
                elif received.kind == PUBLISH:
                    message = end.parse_publish(received)
                    if ending.is_set() and not sent and message.payload == b"0":
                        # A bridge says goodbye once the broker stands still.
                        sent.append(end.publish("cmd/1", "go", 1, wait=False))
                    else:
                        end.acknowledge(message)

        remote = self.mosquitto().start()
        line = bridge(self.peer(cloud).port, [rule("cmd/#", "in")], name="from")
        gateway = self.gateway(line, bridge(remote.port, [rule("cmd/1"), rule("end")], name="onward")).start()
        with gateway.client("device") as device:
            device.subscribe("cmd/hello")
            self.assertEqual(len(device.messages(1)), 1)
        before_the_end(gateway, line, links)
        ending.set()
        gateway.signal(signal.SIGTERM)
        self.assertEqual(gateway.wait(), -signal.SIGKILL, "killed at the PUBACK")
        with remote.client("far") as far:
            far.subscribe("cmd/#", "end")
            for start, expected in enumerate((["cmd/1", "end"], ["end"])):
                gateway.start()
                with gateway.client("device") as device:
                    device.publish("end", "", 1)
                far.until(lambda: far.inbox and far.inbox[-1].topic == "end")
                self.assertEqual([m.topic for m in far.messages(len(far.inbox))], expected, f"start {start}")
                self.assertEqual(gateway.terminate(5), 0)

    def test_a_command_that_waits_in_an_inbox_at_a_start_goes_on_to_a_bridge_further_down_the_file(self):
        self.check_inbox_at_a_start()

    def test_after_a_reload_an_inbox_goes_on_behind_what_the_link_before_brought(self):
        def reload(gateway, line, links):
            line["window"] = 50
            self.assertIn("bridges=1", gateway.reload())
            wait_for(lambda: len(links) == 2, "the successor connects")
        self.check_inbox_at_a_start(reload)


if __name__ == "__main__":
    main()
