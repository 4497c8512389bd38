#!/usr/bin/python3
"""QoS 2 crosses a bridge exactly once, whatever happens to the link, the gateway and the remote; QoS 1 at least once,
in order.

The remote is a second Tidegate: one that keeps what it acknowledged, and its sessions.
"""

import json
import os
import socket
import subprocess
import threading

from support import LOAD, Case, bridge, count_lines, main, rule, wait_for

MESSAGES = 3
PUBLISHERS = 5
LOAD_MESSAGES = 5000
ROUNDS = int(os.environ.get("TIDEGATE_ROUNDS", "10"))


class CutOnce:
    """Between a bridge and its remote: once armed, ends the next connection when so many bytes have gone through one
    way, and lets all others be."""

    def __init__(self, remote_port, way, offset):
        self.remote_port, self.way, self.offset = remote_port, way, offset
        self.armed = False
        self.cuts = 0

    def __call__(self, _, accepted):
        left, self.armed = {self.way: self.offset} if self.armed else {}, False
        remote = socket.create_connection(("127.0.0.1", self.remote_port), timeout=20)
        remote.settimeout(None)
        pumps = [threading.Thread(target=self.pump, args=(accepted, remote, left.get("up"))),
                 threading.Thread(target=self.pump, args=(remote, accepted, left.get("down")))]
        for each in pumps:
            each.start()
        for each in pumps:
            each.join()
        accepted.close()
        remote.close()

    def pump(self, source, target, left):
        try:
            while data := source.recv(4096 if left is None else 1):
                if left == 0:
                    self.cuts += 1
                    break
                target.sendall(data)
                left = left and left - 1
        except OSError:
            pass
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __repr__(self):
        return f"cut after {self.offset} bytes {self.way}, {self.cuts} times"


class TwoGateways(Case):
    def remote(self):
        """Not started yet."""
        made = self.gateway(name="remote", store={"path": str(self.folder / "remote-store"), "min_free": "0B"},
                            limits={"max_connections": 1000})
        made.config["gateway"]["name"] = "remote"
        made.write()
        return made


class EveryByte(TwoGateways):
    """The link is cut at every byte of a connection that has three messages to carry, each on a bridge of its own: from
    the end of CONNECT to the last acknowledgement, both ways."""

    def states(self):
        """The newest state of each bridge."""
        self.watcher.ping()
        for message in self.watcher.inbox:
            self.newest[message.topic] = json.loads(message.payload)["state"] if message.payload else "unknown"
        self.watcher.inbox.clear()
        return set(self.newest.values())

    def wait_for_links(self, state):
        count = len(self.near.config["bridges"])
        wait_for(lambda: self.states() == {state} and len(self.newest) == count, f"every bridge {state}", 60)

    def set_links(self, start_type, state):
        for each in self.near.config["bridges"]:
            each["start_type"] = start_type
        self.near.write()
        self.near.reload()
        self.wait_for_links(state)

    def messages_after_cuts(self, direction, qos, version, up, down):
        """What comes out for each bridge, which has a cut after a number of bytes of its own."""
        far = self.remote().start()
        cuts = [CutOnce(far.port, way, n) for way, bytes_ in (("up", up), ("down", down)) for n in bytes_]
        self.near = self.gateway(*[
            bridge(self.peer(cut).port, [rule("t", direction, qos=qos, local_prefix=f"n{n}/", remote_prefix=f"n{n}/")],
                   name=f"n{n}", client_id=f"n{n}", protocol_version=version, notifications=False)
            for n, cut in enumerate(cuts)]).start()
        self.newest = {}
        self.watcher = self.client(self.near, "watcher")
        self.watcher.subscribe("$SYS/broker/bridge/+/status", qos=0)
        self.wait_for_links("connected")
        source, sink = (self.near, far) if direction == "out" else (far, self.near)
        reader = self.client(sink, "reader")
        reader.subscribe("#", qos=2)
        self.set_links("off", "stopped")
        device = self.client(source, "device")
        for n in range(len(cuts)):
            for value in range(MESSAGES):
                self.assertEqual(device.publish(f"n{n}/t", str(value), qos), 0)
        for cut in cuts:
            cut.armed = True
        self.set_links("automatic", "connected")
        found = self.collect(reader, len(cuts))
        self.assertGreater(sum(cut.cuts for cut in cuts), len(cuts) // 2, "the cuts came after the messages")
        return list(zip(cuts, found))

    def collect(self, reader, bridges):
        """Payloads by bridge, once all are there and no more come."""
        found = [[] for _ in range(bridges)]

        def complete():
            for message in reader.inbox:
                found[int(message.topic.split("/")[0][1:])].append(int(message.payload))
            reader.inbox.clear()
            return all(len(set(each)) == MESSAGES for each in found)

        reader.until(complete, 90)
        reader.until(lambda: False, 1)  # what comes too often
        complete()
        return found

    def expect_once(self, direction, version, up, down):
        for cut, values in self.messages_after_cuts(direction, 2, version, up, down):
            self.assertEqual(values, list(range(MESSAGES)), cut)

    def expect_in_order(self, direction, version, up, down):
        """QoS 1: the first arrivals are in order; some may come again."""
        for cut, values in self.messages_after_cuts(direction, 1, version, up, down):
            self.assertEqual(list(dict.fromkeys(values)), list(range(MESSAGES)), cut)

    def test_up_5_0(self):
        self.expect_once("out", "5.0", range(36, 90), range(0, 46))

    def test_up_3_1_1(self):
        self.expect_once("out", "3.1.1", range(14, 70), range(0, 30))

    def test_down_5_0(self):
        self.expect_once("in", "5.0", range(38, 80), range(15, 73))

    def test_down_3_1_1(self):
        self.expect_once("in", "3.1.1", range(14, 50), range(0, 60))

    def test_qos_1_up(self):
        self.expect_in_order("out", "5.0", range(36, 80), range(0, 34))

    def test_qos_1_down(self):
        self.expect_in_order("in", "5.0", range(38, 70), range(15, 65))


class Kills(TwoGateways):
    def test_kill_9_of_either_side_under_load(self):
        """Random moments; what was acknowledged to the devices arrives at the remote's subscriber once, in order."""
        far = self.remote()
        near = self.gateway(bridge(far.port, [rule("load/#", qos=2, remote_prefix="up/")], notifications=False))
        far.start()
        self.load("-p", far.port, "--mode", "enrol", "--persistent", "-q", 2, "--sub-prefix", "up/")
        near.start()
        acknowledged = 0
        for number in range(ROUNDS):
            acked, first = self.folder / f"acked-{number}", 1 + number * LOAD_MESSAGES
            command = [LOAD, "-p", near.port, "--mode", "publish", "-q", 2, "-P", PUBLISHERS, "-n", LOAD_MESSAGES,
                       "--acked-file", acked, "--timeout", 60, "--run", number + 1, "--first-seq", first]
            load = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
            self.addCleanup(load.wait)
            self.addCleanup(load.kill)
            for _ in range(self.random.randrange(1, 4)):
                wanted = count_lines(acked) + self.random.randrange(1, LOAD_MESSAGES // 4)
                wait_for(lambda: count_lines(acked) >= wanted or load.poll() is not None, "acknowledged", 60, 0.001)
                victim = self.random.choice([near, far])
                victim.kill()
                victim.start()
            load.wait(60)
            count = count_lines(acked)
            acknowledged += count
            report = self.load("-p", far.port, "--mode", "subscribe", "--persistent", "-q", 2, "--quiet", 2,
                               "--sub-prefix", "up/", "--check-acked", acked, "--run", number + 1, "--first-seq", first,
                               expect=(0, 1, 3))
            self.assertEqual((report["lost"], report["reordered"], report["duplicated"]), (0, 0, 0),
                             f"round {number}: {report}")
            self.assertGreaterEqual(report["received"], count)
        print(f"{acknowledged} acknowledged in {ROUNDS} rounds: lost 0, duplicated 0", flush=True)


if __name__ == "__main__":
    main()
