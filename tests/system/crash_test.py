#!/usr/bin/python3
"""kill -9 at any moment costs nothing that was acknowledged.

The pain: QoS 1 messages vanish when the broker dies while the uplink is down, in spite of persistence; the queue is cut
or lost by a crash; the cached message is deleted before the cloud acknowledged it.
"""

import struct
import subprocess
import time

from support import LOAD, Case, bridge, count_lines, main, rule, wait_for

PUBLISHERS = 10
MESSAGES = 10_000
PAYLOAD = 256


class Crash(Case):
    def publish_and_kill(self, gateway, acked, during, **options):
        """Publishes QoS 1 and kills the gateway: at a random moment of it, or after the last acknowledgement. Returns
        how many messages were acknowledged."""
        command = [LOAD, "-p", gateway.port, "--mode", "publish", "-q", 1, "-P", PUBLISHERS, "-n", MESSAGES,
                   "--payload", PAYLOAD, "--acked-file", acked, "--timeout", 60]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), value]
        load = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if during:
                wanted = self.random.randrange(1, MESSAGES * 9 // 10)
                wait_for(lambda: count_lines(acked) >= wanted or load.poll() is not None, "messages acknowledged", 60,
                         0.001)
            else:
                self.assertEqual(load.wait(60), 0)
                time.sleep(self.random.random() * 0.02)
            gateway.kill()
            load.wait(60)
        finally:
            load.kill()
            load.wait()
        return count_lines(acked)

    def test_every_acknowledged_message_reaches_the_remote_in_order(self):
        """Twenty crashes with the remote away; after each, the remote comes back and is owed everything."""
        remote = self.mosquitto(persistent=True)
        gateway = self.gateway(bridge(remote.port, [rule("load/#", remote_prefix="up/")], window=500))
        remote.start()
        self.load("-p", remote.port, "--mode", "enrol", "--persistent", "-q", 1, "--sub-prefix", "up/")
        remote.terminate()
        acknowledged = 0
        for number in range(20):
            acked = self.folder / f"acked-{number}"
            gateway.start()
            first = 1 + number * MESSAGES
            count = self.publish_and_kill(gateway, acked, during=number % 2 == 0, run=number + 1, first_seq=first)
            acknowledged += count
            self.assertGreater(count, 0)
            since = remote.log_size()
            for each in (gateway, remote) if number % 4 < 2 else (remote, gateway):
                each.start()
            remote.wait_log(r"New client connected from \S+ as gw\.cloud", 20, since)
            report = self.load("-p", remote.port, "--mode", "subscribe", "--persistent", "-q", 1, "--quiet", 1,
                               "--sub-prefix", "up/", "--check-acked", acked, "--run", number + 1, "--first-seq", first,
                               expect=(0, 1, 3))
            self.assertEqual((report["lost"], report["reordered"]), (0, 0), f"round {number}: {report}")
            self.assertGreaterEqual(report["received"], count)
            gateway.kill() if number % 3 else gateway.terminate()
            remote.terminate()
        print(f"{acknowledged} acknowledged, none lost", flush=True)

    def test_a_kill_while_the_link_is_up_costs_nothing_either(self):
        """What was sent and not acknowledged by the remote, or acknowledged and not yet removed, may come again."""
        remote = self.mosquitto(persistent=True).start()
        gateway = self.gateway(bridge(remote.port, [rule("load/#", remote_prefix="up/")], window=500))
        self.load("-p", remote.port, "--mode", "enrol", "--persistent", "-q", 1, "--sub-prefix", "up/")
        for number in range(6):
            acked = self.folder / f"acked-{number}"
            since = remote.log_size()
            gateway.start()
            remote.wait_log(r"New client connected from \S+ as gw\.cloud", 20, since)
            first = 1 + number * MESSAGES
            count = self.publish_and_kill(gateway, acked, during=number % 3 != 2, run=number + 1, first_seq=first)
            since = remote.log_size()
            gateway.start()
            remote.wait_log(r"New client connected from \S+ as gw\.cloud", 20, since)
            report = self.load("-p", remote.port, "--mode", "subscribe", "--persistent", "-q", 1, "--quiet", 1,
                               "--sub-prefix", "up/", "--check-acked", acked, "--run", number + 1, "--first-seq", first,
                               expect=(0, 1, 3))
            self.assertEqual((report["lost"], report["reordered"]), (0, 0), f"round {number}: {report}")
            self.assertGreaterEqual(report["received"], count)
            gateway.kill()

    def test_a_session_that_is_away_gets_every_acknowledged_message_in_order(self):
        """The subscriber is a device that sleeps; its session is kept by the gateway, which dies meanwhile."""
        gateway = self.gateway(limits={"max_queued_messages": 100_000, "max_queued_bytes": "64MiB"}).start()
        self.load("-p", gateway.port, "--mode", "enrol", "--persistent", "-q", 1)
        for number in range(6):
            acked = self.folder / f"acked-{number}"
            first = 1 + number * MESSAGES
            count = self.publish_and_kill(gateway, acked, during=number % 2 == 0, run=number + 1, first_seq=first)
            gateway.start()
            report = self.load("-p", gateway.port, "--mode", "subscribe", "--persistent", "-q", 1, "--quiet", 1,
                               "--check-acked", acked, "--run", number + 1, "--first-seq", first, expect=(0, 1, 3))
            self.assertEqual((report["lost"], report["reordered"]), (0, 0), f"round {number}: {report}")
            self.assertGreaterEqual(report["received"], count)

    def test_the_last_acknowledged_retained_value_of_each_topic_is_kept(self):
        """1,000 topics, each set again and again; killed at a random moment. What stands there afterwards is the last
        acknowledged value, or one that was sent after it."""
        topics = 1000
        gateway = self.gateway()
        value = 0
        acknowledged = [0] * topics
        sent = [0] * topics
        for number in range(5):
            gateway.start()
            client = gateway.client("setter", timeout=30)
            kill_at = self.random.randrange(200, 6000)
            waiting = {}
            done = 0
            try:
                while done < kill_at:
                    while len(waiting) < 50:
                        value += 1
                        topic = value % topics
                        sent[topic] = value
                        waiting[client.publish(f"state/{topic}", struct.pack(">Q", value), 1, True, wait=False)] = (
                            topic, value)
                    client.until(lambda: client.acks)
                    for packet_id in list(client.acks):
                        client.acks.pop(packet_id)
                        topic, set_value = waiting.pop(packet_id)
                        acknowledged[topic] = set_value
                        done += 1
                gateway.kill()
            finally:
                client.close()
            gateway.start()
            with gateway.client("reader") as reader:
                reader.subscribe("state/#")
                expected = sum(1 for each in acknowledged if each)
                reader.until(lambda: len(reader.inbox) >= expected, 10)
                reader.ping()
                found = {int(m.topic[6:]): struct.unpack(">Q", m.payload)[0] for m in reader.inbox if m.retain}
            for topic in range(topics):
                if acknowledged[topic]:
                    self.assertIn(topic, found, f"round {number}: retained message is gone")
                    self.assertGreaterEqual(found[topic], acknowledged[topic], f"round {number}, topic {topic}")
                    self.assertLessEqual(found[topic], sent[topic])
            gateway.terminate()


if __name__ == "__main__":
    main()
