#!/usr/bin/python3
"""A full disk ends promises, not service; a damaged store starts; a newer one is not touched.

The pain: the store itself is corrupt and the broker refuses to start; a full disk takes the broker down, or it
acknowledges what it cannot keep.
"""

import os
import re
import struct
import time
import unittest

from raw_mqtt import Closed
from support import Case, bridge, free_port, main, namespace, rule, wait_for

MIB = 1024 * 1024
QUOTA_EXCEEDED = 0x97


def masked_crc32c(data):
    """As RocksDB writes it in front of a record of its log."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def append_to_log(database, key, value):
    """Puts a key as the newest write of a stopped store: one more record in RocksDB's log."""
    log = max((path for path in database.glob("*.log") if path.stat().st_size), key=lambda path: int(path.stem))
    sequence = 1_000_000
    batch = struct.pack("<QI", sequence, 1) + bytes([1, len(key)]) + key + bytes([len(value)]) + value
    record = b"\x01" + batch
    with open(log, "ab") as file:
        file.write(struct.pack("<IH", masked_crc32c(record), len(batch)) + record)


NAMESPACE = namespace("mount")


@unittest.skipUnless(NAMESPACE, "needs a small file system, and no mount namespace is allowed here")
class Full(Case):
    def small_disk(self, *bridges, size="64m", min_free="16MiB", **more):
        """A gateway whose store is alone on a file system of `size`."""
        disk = self.folder / "disk"
        disk.mkdir()
        script = f'mount -t tmpfs -o size={size} none "$0" && exec "$@"'
        gateway = self.gateway(*bridges, before=[*NAMESPACE, "sh", "-c", script, disk], **more)
        gateway.config["store"] = {"path": str(disk / "store"), "min_free": min_free}
        gateway.start()
        self.filler = f"/proc/{gateway.pid}/root{disk}/filler"
        return gateway

    def fill(self, leave):
        """Another program takes the disk, all but `leave` bytes."""
        with open(self.filler, "ab", buffering=0) as file:
            room = os.statvfs(self.filler)
            free = room.f_bavail * room.f_frsize
            try:
                file.write(bytes(max(0, free - leave)))
            except OSError:
                pass

    def check_live_service(self, gateway):
        with gateway.client("listener") as listener, gateway.client("talker") as talker:
            listener.subscribe("live/#", qos=0)
            for number in range(100):
                talker.publish("live/x", str(number))
                self.assertEqual([m.payload for m in listener.messages(1)], [str(number).encode()])
            talker.subscribe("state/#", qos=0)
            self.assertEqual([m.payload for m in talker.messages(1)], [b"set before"])

    def test_below_min_free_durable_publishes_are_refused_aloud_and_the_rest_goes_on(self):
        remote_port = free_port()
        gateway = self.small_disk(bridge(remote_port, [rule("data/#")]))
        with gateway.client("new", level=5) as device:
            self.assertEqual(device.publish("state/1", "set before", 1, retain=True), 0)
            self.assertEqual(device.publish("data/1", "kept", 1), 0)
            self.fill(leave=10 * MIB)
            gateway.wait_log("Store takes no new messages that must be kept")
            self.assertEqual(device.publish("data/2", "refused", 1), QUOTA_EXCEEDED)
            self.assertEqual(device.publish("data/2", "refused", 2), QUOTA_EXCEEDED)
            self.assertEqual(device.publish("state/1", "refused", 1, retain=True), QUOTA_EXCEEDED)
            self.check_live_service(gateway)
            os.unlink(self.filler)
            gateway.wait_log("Store takes messages again")
            self.assertEqual(device.publish("data/3", "kept", 1), 0)
        remote = self.mosquitto(port=remote_port, persistent=True)
        remote.start()
        with remote.client("cloud") as cloud, gateway.client("device") as device:
            cloud.subscribe("data/#")
            device.publish("data/last", "x", 1)
            cloud.until(lambda: any(m.topic == "data/last" for m in cloud.inbox))
            self.assertNotIn("data/2", [m.topic for m in cloud.inbox])

    def test_an_old_client_is_held_and_answered_when_there_is_room_again(self):
        gateway = self.small_disk(bridge(free_port(), [rule("data/#")]), limits={"refuse_after": "1m"})
        with gateway.client("old", level=4) as device:
            self.fill(leave=10 * MIB)
            gateway.wait_log("Store takes no new messages that must be kept")
            with self.assertRaises(TimeoutError):
                device.publish("data/1", "held", 1, timeout=1.5)
            os.unlink(self.filler)
            self.assertTrue(device.until(lambda: device.acks), "acknowledged on the same connection")

    def test_an_old_client_is_closed_after_refuse_after(self):
        """So that it sends again elsewhere or later: 3.1.1 has no other way to say no."""
        gateway = self.small_disk(bridge(free_port(), [rule("data/#")]), limits={"refuse_after": "2s"})
        with gateway.client("old", level=4) as device:
            self.fill(leave=10 * MIB)
            gateway.wait_log("Store takes no new messages that must be kept")
            start = time.monotonic()
            with self.assertRaises(Closed):
                device.publish("data/1", "held", 1, timeout=15)
            self.assertGreater(time.monotonic() - start, 1)
            self.assertEqual(device.acks, {})

    def test_a_disk_without_a_free_byte_costs_nothing_that_was_acknowledged(self):
        """min_free 0: the disk is full in the middle of writing."""
        remote_port = free_port()
        gateway = self.small_disk(bridge(remote_port, [rule("data/#")], window=500), size="48m", min_free="0B")
        acknowledged = []
        with gateway.client("new", level=5) as device:
            device.publish("state/1", "set before", 1, retain=True)
            self.fill(leave=6 * MIB)
            refused = 0
            for number in range(2000):
                try:
                    code = device.publish(f"data/{number}", bytes(10000), 1, timeout=3)
                except TimeoutError:
                    break
                refused += code == QUOTA_EXCEEDED
                if code == 0:
                    acknowledged.append(f"data/{number}")
                if refused > 20:
                    break
            self.assertGreater(len(acknowledged), 100)
            self.assertLess(len(acknowledged), 1500)
        gateway.wait_log("Store takes no new messages that must be kept")
        self.check_live_service(gateway)
        os.unlink(self.filler)
        gateway.wait_log("Store takes messages again", 30)
        with gateway.client("new", level=5) as device:
            self.assertEqual(device.publish("data/last", "x", 1), 0)
        remote = self.mosquitto(port=remote_port)
        wanted = [*acknowledged, "data/last"]
        with self.subscribed_before_the_bridge(remote) as cloud:
            cloud.until(lambda: cloud.inbox and cloud.inbox[-1].topic == "data/last", 60)
            got = [m.topic for m in cloud.inbox]
        self.assertEqual([topic for topic in wanted if topic not in set(got)], [])
        self.assertEqual(list(dict.fromkeys(topic for topic in got if topic in set(wanted))), wanted)

    def subscribed_before_the_bridge(self, remote):
        """The remote opens, and we are there first: a session kept from an earlier run of it."""
        early = self.mosquitto(port=free_port(), name="early", persistent=True).start()
        with early.client("cloud", clean=False) as cloud:
            cloud.subscribe("data/#")
        early.terminate()
        config = self.folder / "mosquitto.conf"
        config.write_text(config.read_text() + f"persistence true\npersistence_location {self.folder}/\n"
                          "persistence_file early.db\n")
        remote.start()
        return remote.client("cloud", clean=False)


class Damaged(Case):
    def filled(self, name="gateway"):
        """A stopped gateway with a backlog, sessions and retained messages on disk, in tables and in the log."""
        gateway = self.gateway(bridge(free_port(), [rule("load/#")]), name=name)
        gateway.config["store"]["path"] = str(self.folder / (name + "-store"))
        gateway.start()
        with gateway.client("sleeper", clean=False) as sleeper:
            sleeper.subscribe("cmd/#")
        for part in range(3):
            self.load("-p", gateway.port, "--mode", "publish", "-q", 1, "-P", 4, "-n", 3000, "--payload", 1000,
                      "--run", part + 1)
            with gateway.client("device") as device:
                for number in range(50):
                    device.publish(f"state/{number}", f"{part}", 1, retain=True)
                    device.publish(f"cmd/{number}", f"{part}", 1)
            if part < 2:
                self.assertEqual(gateway.terminate(), 0)
                gateway.start()
        gateway.kill()
        return gateway

    def flip(self, path, count=20):
        data = bytearray(path.read_bytes())
        for _ in range(count):
            data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
        path.write_bytes(data)

    def check_starts_and_serves(self, gateway):
        """It starts, says what is bad, and keeps what is published from now on."""
        since = gateway.log_size()
        gateway.start(30)
        log = gateway.log.read_bytes()[since:].decode(errors="replace")
        with gateway.client("after", level=5) as device:
            self.assertEqual(device.publish("state/new", "new", 1, retain=True), 0)
            self.assertEqual(device.publish("load/new", "new", 1), 0)
        gateway.kill()
        gateway.start(30)
        with gateway.client("reader") as reader:
            reader.subscribe("state/new")
            self.assertEqual([m.payload for m in reader.messages(1)], [b"new"])
        gateway.kill()
        return log

    def test_a_store_with_flipped_bits_starts_and_says_so(self):
        for kind in ("MANIFEST-*", "*.log", "CURRENT"):
            with self.subTest(kind):
                gateway = self.filled(re.sub("[^A-Za-z]", "", kind))
                files = [path for path in (gateway.store / "db").glob(kind) if path.stat().st_size]
                self.assertTrue(files, f"nothing to damage: {kind}")
                self.flip(max(files, key=lambda path: path.stat().st_size))
                log = self.check_starts_and_serves(gateway)
                print(f"{kind}: " + "; ".join(line[30:] for line in log.splitlines() if "aside" in line or
                                              "Recovered" in line), flush=True)
                self.assertRegex(log, r"Store set aside|unreadable=[1-9]|damaged")

    def test_queued_messages_that_cannot_be_read_are_counted_and_the_others_delivered(self):
        """The start does not read a long queue; the damage is met while it is sent."""
        gateway = self.filled()
        self.flip(max((gateway.store / "db").glob("*.sst"), key=lambda path: path.stat().st_size))
        gateway.start(30)
        queued = int(gateway.wait_log(r"Recovered.*of_bridges=(\d+)").group(1))
        with gateway.client("watch") as watch:
            status = self.status(watch)
            self.mosquitto(port=int(gateway.config["bridges"][0]["addresses"][0].split(":")[1])).start()
            wait_for(lambda: status()["state"] == "connected" and status()["queue_messages"] == 0, "all is sent", 60)
            said = status()
        print(f"of {queued}: {said['delivered']} delivered, {said['dropped_by_cause']}", flush=True)
        self.assertGreater(said["delivered"], 1000)
        aside = gateway.log_text().count("Store set aside")
        if not aside:
            self.assertGreater(said["dropped_by_cause"]["unreadable"], 0)
            self.assertGreaterEqual(said["delivered"] + said["dropped"], queued)

    def test_a_store_with_a_missing_file_starts_and_says_so(self):
        for kind in ("*.sst", "MANIFEST-*", "CURRENT"):
            with self.subTest(kind):
                gateway = self.filled(re.sub("[^A-Za-z]", "", kind))
                max((gateway.store / "db").glob(kind), key=lambda path: path.stat().st_size).unlink()
                self.assertRegex(self.check_starts_and_serves(gateway), r"Store set aside|unreadable=[1-9]|damaged")

    def test_what_is_readable_of_a_damaged_store_is_carried_over(self):
        """One lost table does not take the retained messages of another with it."""
        gateway = self.filled()
        (gateway.store / "db/CURRENT").unlink()
        gateway.start(30)
        gateway.wait_log(r"Store set aside: path=\S+ carried_over=[1-9]\d*")
        self.assertTrue(list(gateway.store.glob("set-aside-*")))
        with gateway.client("reader") as reader:
            reader.subscribe("state/#")
            self.assertEqual({m.topic for m in reader.messages(50)}, {f"state/{number}" for number in range(50)})
        with gateway.client("sleeper", clean=False) as sleeper:
            self.assertTrue(sleeper.session_present)
            self.assertEqual(len(sleeper.messages(150)), 150)
        with gateway.client("watch") as watch:
            self.assertEqual(self.status(watch)()["queue_messages"], 9000)

    def newer_store(self, **store):
        gateway = self.gateway(bridge(free_port(), [rule("data/#")]))
        gateway.start()
        with gateway.client("device") as device:
            device.publish("data/1", "x", 1)
        self.assertEqual(gateway.terminate(), 0)
        append_to_log(gateway.store / "db", b"F", struct.pack(">I", 99))
        gateway.config["store"].update(store)
        return gateway

    def test_a_newer_store_is_refused_with_words_and_not_touched(self):
        gateway = self.newer_store()
        before = {path.name for path in gateway.store.iterdir()}
        gateway.write()
        gateway.spawn()
        self.assertEqual(gateway.wait(), 1)
        self.assertIn("written by a newer version", gateway.log_text())
        self.assertIn("on_newer", gateway.log_text())
        self.assertEqual({path.name for path in gateway.store.iterdir()}, before)

    def test_a_newer_store_is_set_aside_where_its_owner_says_so(self):
        gateway = self.newer_store(on_newer="set_aside").start()
        gateway.wait_log("Store set aside: path=")
        self.assertTrue(list(gateway.store.glob("set-aside-*")))
        with gateway.client("device") as device, gateway.client("watch") as watch:
            device.publish("data/2", "x", 1)
            status = self.status(watch)
            wait_for(lambda: status()["queue_messages"] == 1, "it runs on a new store")


if __name__ == "__main__":
    main()
