#!/usr/bin/python3
"""Trouble on an uplink is met with patience, told truthfully, and never felt on the LAN.

The pain: a peer that accepts and then cuts is hammered; a name that does not resolve at boot means no bridge until a
restart; a dead uplink stalls local clients for seconds; one bad bridge harms the others; the bridge looks connected but
nothing flows; the state topic never goes to 0.
"""

import socket
import statistics
import time
import unittest

from raw_mqtt import PUBLISH, SUBSCRIBE, Client, packet
from support import Case, bridge, free_port, main, namespace, rule, wait_for

MOUNTS = namespace("mount")

PATIENT = {"base": "1s", "cap": "2m", "stable_after": "30s"}
STATE = "$SYS/broker/connection/gw.cloud/state"


# --- how peers misbehave ------------------------------------------------------------------------------------

def cuts_at_once(_, stream):
    stream.close()


def cuts_after_connack(_, stream):
    Client.serve(stream)
    stream.close()


def never_answers(peer, stream):
    """Takes what comes and is silent: no CONNACK."""
    while not peer.stopped.is_set() and stream.recv(65536):
        pass


def reads_nothing(peer, _):
    peer.stopped.wait()


def stops_reading_after_connack(peer, stream):
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    Client.serve(stream)
    peer.stopped.wait()


def acknowledges_nothing(peer, stream):
    """A link that looks well: CONNACK, SUBACK, and answers to pings, but no PUBACK."""
    end = Client.serve(stream, acknowledges=False)
    peer.published = getattr(peer, "published", 0)
    while not peer.stopped.is_set():
        received = end.receive(600)
        if received.kind == SUBSCRIBE:
            end.grant(received)
        elif received.kind == PUBLISH:
            peer.published += 1
        elif received.kind == 12:
            end.send(packet(13, 0, b""))


class Troubles(Case):
    def test_a_peer_that_accepts_and_cuts_is_not_hammered(self):
        peers = {"at once": self.peer(cuts_at_once), "after CONNACK": self.peer(cuts_after_connack)}
        lines = [bridge(peer.port, [rule("data/#"), rule("down/#", "in")], name=f"cut-{number}",
                        restart_timeout=PATIENT) for number, peer in enumerate(peers.values())]
        gateway = self.gateway(*lines).start()
        with gateway.client("device") as device:
            for number in range(20):
                device.publish(f"data/{number}", "x", 1)
            time.sleep(10)  # a span to count in
        for how, peer in peers.items():
            with self.subTest(how):
                print(f"cut {how}: {len(peer.connects)} connects in 10 s", flush=True)
                self.assertGreaterEqual(len(peer.connects), 2)
                self.assertLessEqual(len(peer.connects), 12)

    @unittest.skipUnless(MOUNTS, "no mount namespace is allowed here")
    def test_a_name_that_does_not_resolve_at_boot_is_tried_until_it_does(self):
        """The box boots before its name server is there."""
        hosts, resolver = self.folder / "hosts", self.folder / "resolv.conf"
        hosts.write_text("127.0.0.1 localhost\n")
        resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        remote = self.mosquitto().start()
        line = bridge(remote.port, [rule("data/#")])
        line["addresses"] = [f"cloud.tidegate.test:{remote.port}"]
        script = 'mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
        gateway = self.gateway(line, before=[*MOUNTS, "sh", "-c", script, hosts, resolver]).start()
        with gateway.client("device") as device, gateway.client("watch") as watch, remote.client("cloud") as cloud:
            cloud.subscribe("data/#")
            status = self.status(watch)
            device.publish("data/1", "waits for the name", 1)
            wait_for(lambda: status().get("last_error", {}).get("step") == "name_lookup", "the failed lookup is told")
            self.assertIn("cloud.tidegate.test", status()["last_error"]["text"])
            self.assertEqual(status()["condition"], "uplink_down")
            with open(hosts, "a", encoding="ascii") as file:
                file.write("127.0.0.1 cloud.tidegate.test\n")
            self.assertEqual([m.payload for m in cloud.messages(1)], [b"waits for the name"])
            wait_for(lambda: status()["condition"] == "all_well", "the status says so")

    def black_hole(self):
        """A port whose SYNs are dropped: a listener with a full backlog."""
        listener = socket.create_server(("127.0.0.1", free_port()), backlog=0)
        self.addCleanup(listener.close)
        port = listener.getsockname()[1]
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            self.addCleanup(filler.close)
        return port

    def local_p99_ms(self, gateway, seconds=4, count=1000):
        """1,000 QoS 0 round trips on the LAN, spread over some seconds; an obligation is published now and then."""
        with gateway.client("rtt-sub") as subscriber, gateway.client("rtt-pub") as publisher:
            subscriber.subscribe("lan/rtt", qos=0)
            times = []
            begin = time.monotonic()
            for number in range(count):
                time.sleep(max(0, begin + seconds * number / count - time.monotonic()))
                if number % 50 == 0:
                    publisher.publish("data/more", bytes(1000), 1)
                start = time.monotonic()
                publisher.publish("lan/rtt", str(number))
                self.assertEqual(len(subscriber.messages(1)), 1)
                times.append(time.monotonic() - start)
        return statistics.quantiles(times, n=100)[98] * 1000

    def check_round_trips(self, gateway, what):
        """Another program on this machine may have the processor for a moment: three tries."""
        for _ in range(3):
            p99 = self.local_p99_ms(gateway)
            print(f"{what}: local round trip p99 {p99:.2f} ms", flush=True)
            if p99 < 20:
                return
        self.fail(f"{what}: the LAN felt it, p99 {p99:.1f} ms")

    def test_no_trouble_of_an_uplink_is_felt_on_the_lan(self):
        troubles = {
            "refuses": free_port(),
            "cuts at once": self.peer(cuts_at_once).port,
            "never answers": self.peer(never_answers).port,
            "reads nothing": self.peer(reads_nothing).port,
            "stops reading": self.peer(stops_reading_after_connack).port,
            "acknowledges nothing": self.peer(acknowledges_nothing).port,
            "black hole": self.black_hole(),
        }
        everything = []
        for number, (what, port) in enumerate(troubles.items()):
            line = bridge(port, [rule("data/#", queue_qos0=True)], name=f"bad-{number}")
            everything.append(line)
            with self.subTest(what):
                gateway = self.gateway(line, name=f"gateway-{number}")
                gateway.config["store"]["path"] += str(number)
                gateway.start()
                with gateway.client("filler") as filler:
                    for _ in range(100):
                        filler.publish("data/fill", bytes(20000))
                    filler.ping()
                self.check_round_trips(gateway, what)
                self.assertEqual(gateway.terminate(5), 0)
        with self.subTest("all at once, beside a good one"):
            remote = self.mosquitto().start()
            gateway = self.gateway(*everything, bridge(remote.port, [rule("data/#")], name="good")).start()
            with remote.client("cloud") as cloud, gateway.client("device") as device:
                cloud.subscribe("data/#")
                remote.wait_log(r"as gw\.good")
                self.check_round_trips(gateway, "all of them")
                start = time.monotonic()
                device.publish("data/last", "through the good one", 1)
                cloud.until(lambda: cloud.inbox and cloud.inbox[-1].topic == "data/last")
                self.assertEqual(cloud.inbox[-1].topic, "data/last")
                self.assertLess(time.monotonic() - start, 2)

    def test_a_link_that_breaks_again_and_again_loses_nothing_and_keeps_the_order(self):
        """Cut at random moments, with some of the acknowledgements still owed."""
        received = []

        def breaks(peer, stream):
            end = Client.serve(stream, acknowledges=False)
            left = self.random.randrange(1, 400)
            owed = []
            while True:
                message = end.receive(60)
                if message.kind == SUBSCRIBE:
                    end.grant(message)
                if message.kind != PUBLISH:
                    continue
                parsed = end.parse_publish(message)
                if parsed.topic.startswith("data/"):
                    received.append((parsed.topic, int(parsed.payload)))
                owed.append(parsed)
                if len(owed) > self.random.randrange(30):
                    for each in owed:
                        end.acknowledge(each)
                    owed.clear()
                left -= 1
                if left == 0 and len(peer.connects) < 10:
                    stream.close()
                    return

        peer = self.peer(breaks)
        gateway = self.gateway(bridge(peer.port, [rule("data/#")])).start()
        total = 3000
        with gateway.client("device") as device:
            for number in range(total):
                device.publish(f"data/{number % 3}", str(number), 1, wait=False)
                if number % 100 == 99:
                    device.until(lambda wanted=number - 100: len(device.acks) > wanted)
            self.assertTrue(device.until(lambda: len(device.acks) == total))
            wait_for(lambda: received and received[-1][1] == total - 1 and len(set(received)) == total,
                     "every message reaches the remote", 60)
        print(f"{len(peer.connects)} connections, {len(received)} messages for {total}", flush=True)
        self.assertGreater(len(peer.connects), 5)
        for topic in range(3):
            first_seen = list(dict.fromkeys(number for name, number in received if name == f"data/{topic}"))
            self.assertEqual(first_seen, sorted(first_seen), f"order of data/{topic}")

    @unittest.skipUnless(MOUNTS, "no mount namespace is allowed here")
    def test_a_dead_name_server_is_felt_neither_on_the_lan_nor_by_another_bridge(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.99.53.1", 53))  # a name server that never answers
        resolver = self.folder / "resolv.conf"
        resolver.write_text("nameserver 127.99.53.1\noptions timeout:5 attempts:2\n")
        remote = self.mosquitto().start()
        dead = bridge(1883, [rule("data/#")], name="dead")
        dead["addresses"] = ["cloud.tidegate.test:1883"]
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        gateway = self.gateway(dead, bridge(remote.port, [rule("data/#")], name="good"),
                               before=[*MOUNTS, "sh", "-c", script, resolver]).start()
        with remote.client("cloud") as cloud, gateway.client("device") as device:
            cloud.subscribe("data/#")
            remote.wait_log(r"as gw\.good")
            slowest = 0
            for number in range(50):
                start = time.monotonic()
                device.publish("data/1", str(number), 1)
                self.assertEqual([m.payload for m in cloud.messages(1)], [str(number).encode()])
                slowest = max(slowest, time.monotonic() - start)
            self.assertLess(slowest, 1)
            self.check_round_trips(gateway, "dead name server")
        self.assertEqual(gateway.terminate(5), 0)


class Truth(Case):
    def test_the_state_topic_says_1_and_0_here_and_at_the_remote(self):
        """At the remote the will says 0 when the gateway is killed."""
        remote = self.mosquitto(persistent=True).start()
        gateway = self.gateway(bridge(remote.port, [rule("data/#")])).start()
        here, there = self.client(gateway, "here"), self.client(remote, "there")
        here.subscribe(STATE)
        there.subscribe(STATE)

        def says(client, value):
            client.until(lambda: client.inbox and client.inbox[-1].payload == value)
            self.assertEqual(client.inbox[-1].payload if client.inbox else None, value)

        says(here, b"1")
        says(there, b"1")
        remote.kill()
        says(here, b"0")
        here.close()
        remote.start()
        there = self.client(remote, "there")
        there.subscribe(STATE)
        says(there, b"1")
        gateway.kill()
        says(there, b"0")
        gateway.start()
        says(there, b"1")
        self.assertEqual(gateway.terminate(5), 0)
        says(there, b"0")
        with remote.client("late") as late:
            late.subscribe(STATE)
            message = late.messages(1)[0]
            self.assertEqual((message.payload, message.retain), (b"0", True))

    def test_the_state_is_retained_and_0_while_there_is_no_remote(self):
        gateway = self.gateway(bridge(free_port(), [rule("data/#")])).start()
        with gateway.client("late") as late:
            late.subscribe(STATE)
            message = late.messages(1)[0]
            self.assertEqual((message.payload, message.retain), (b"0", True))

    def test_the_status_counts_what_waits_and_what_was_delivered(self):
        port = free_port()
        gateway = self.gateway(bridge(port, [rule("data/#")])).start()
        with gateway.client("device") as device, gateway.client("watch") as watch:
            status = self.status(watch)
            for number in range(25):
                device.publish(f"data/{number}", bytes(100), 1)
            device.publish("data/not-kept", "QoS 0")
            wait_for(lambda: status()["queue_messages"] == 25, "25 wait")
            wait_for(lambda: status()["dropped_by_cause"]["qos0_link_down"] == 1, "the QoS 0 message is counted")
            said = status()
            self.assertEqual((said["bridge"], said["condition"], said["delivered"], said["in_flight"]),
                             ("cloud", "uplink_down", 0, 0))
            self.assertGreater(said["queue_bytes"], 2500)
            self.assertEqual(said["address"], f"127.0.0.1:{port}")
            self.assertEqual(said["dropped"], 1)
            wait_for(lambda: "refused" in status().get("last_error", {}).get("text", ""), "the cause is quoted")
            self.assertEqual(status()["last_error"]["step"], "tcp")
            wait_for(lambda: status()["oldest_age_seconds"] >= 1, "the oldest grows older")
            remote = self.mosquitto(port=port).start()
            wait_for(lambda: status()["delivered"] == 25, "25 delivered")
            wait_for(lambda: status()["condition"] == "all_well", "all is well")
            said = status()
            self.assertEqual((said["state"], said["queue_messages"], said["queue_bytes"]), ("connected", 0, 0))
            remote.terminate()
            wait_for(lambda: status()["condition"] == "uplink_down", "the end of the link is told")

    def test_a_link_that_acknowledges_nothing_is_not_called_well(self):
        peer = self.peer(acknowledges_nothing)
        gateway = self.gateway(bridge(peer.port, [rule("data/#")])).start()
        with gateway.client("device") as device, gateway.client("watch") as watch:
            status = self.status(watch)
            wait_for(lambda: status()["state"] == "connected", "connected")
            for number in range(5):
                device.publish(f"data/{number}", "x", 1)
            wait_for(lambda: status()["in_flight"] == 5, "five in flight")
            time.sleep(1.5)  # another status or two
            said = status()
            self.assertEqual((said["delivered"], said["queue_messages"]), (0, 5))
            wait_for(lambda: status()["condition"] != "all_well", "it is not called well", 60)
            print(f"condition: {status()['condition']}", flush=True)

    def test_a_refusal_is_told_in_the_remotes_words(self):
        remote = self.mosquitto(["allow_anonymous false", f"password_file {self.folder}/none"])
        (self.folder / "none").write_text("")
        remote.start()
        gateway = self.gateway(bridge(remote.port, [rule("data/#")])).start()
        with gateway.client("watch") as watch:
            status = self.status(watch)
            wait_for(lambda: status()["condition"] == "uplink_refused", "the refusal is told")
            self.assertEqual(status()["last_error"]["step"], "connack")
            self.assertRegex(status()["last_error"]["text"], "(?i)not authori[sz]ed")


if __name__ == "__main__":
    main()
