#!/usr/bin/python3
"""A reload touches only what changed, and neither it nor a restart costs a queued message.

The pain: adding or changing a bridge needs a restart; a SIGHUP with an unchanged configuration empties the whole bridge
queue; a reload crashes.
"""

import json
import signal
import threading

from raw_mqtt import PUBLISH, Client, Closed, Refused
from support import Case, answers, bridge, count_lines, free_port, main, rule, wait_for

BACKLOG = 5000


class Reload(Case):
    def fill(self, gateway, first=1, count=BACKLOG):
        """Publishes a backlog; the file of what was acknowledged."""
        acked = self.folder / f"acked-{first}"
        self.load("-p", gateway.port, "--mode", "publish", "-q", 1, "-P", 5, "-n", count, "--run", 1, "--first-seq",
                  first, "--acked-file", acked)
        return acked

    def remote_with_session(self, prefix="up/"):
        """A Mosquitto that keeps a session for the load program's subscriber, and is away."""
        remote = self.mosquitto(persistent=True).start()
        self.load("-p", remote.port, "--mode", "enrol", "--persistent", "-q", 1, "--sub-prefix", prefix)
        remote.terminate()
        return remote

    def all_arrive(self, remote, *acked_files, prefix="up/"):
        """Starts the remote; what all the files promise has to arrive, in order."""
        acked = self.folder / "acked"
        acked.write_bytes(b"".join(each.read_bytes() for each in acked_files))
        since = remote.log_size()
        remote.start()
        remote.wait_log(r"New client connected from \S+ as gw\.", 20, since)
        report = self.load("-p", remote.port, "--mode", "subscribe", "--persistent", "-q", 1, "--quiet", 1.5, "--run",
                           1, "--sub-prefix", prefix, "--check-acked", acked, expect=(0, 1, 3))
        self.assertEqual((report["lost"], report["reordered"]), (0, 0), report)
        return report

    def test_a_sighup_with_an_unchanged_file_keeps_the_backlog(self):
        remote = self.remote_with_session()
        gateway = self.gateway(bridge(remote.port, [rule("load/#", remote_prefix="up/")])).start()
        first = self.fill(gateway)
        for _ in range(3):
            self.assertIn("bridges=0", gateway.reload())
        second = self.fill(gateway, first=1 + BACKLOG)
        gateway.reload()
        report = self.all_arrive(remote, first, second)
        self.assertEqual(report["received"] - report["duplicated"], 2 * BACKLOG)

    def test_an_orderly_restart_keeps_the_backlog(self):
        remote = self.remote_with_session()
        gateway = self.gateway(bridge(remote.port, [rule("load/#", remote_prefix="up/")])).start()
        first = self.fill(gateway)
        self.assertEqual(gateway.terminate(5), 0)
        gateway.start()
        second = self.fill(gateway, first=1 + BACKLOG)
        self.assertEqual(gateway.terminate(5), 0)
        gateway.start()
        self.assertNotIn("unclean", gateway.log_text())
        report = self.all_arrive(remote, first, second)
        self.assertEqual(report["received"], 2 * BACKLOG)

    def test_reloads_that_change_the_bridge_amid_traffic_lose_nothing(self):
        """The link is cut and made anew under load; what was in flight is sent again."""
        remote = self.mosquitto().start()
        line = bridge(remote.port, [rule("load/#", remote_prefix="up/")])
        gateway = self.gateway(line).start()
        remote.wait_log(r"as gw\.cloud")
        acked = self.folder / "acked"
        publisher = self.start_load("-p", gateway.port, "--sub-port", remote.port, "--sub-prefix", "up/", "-q", 1, "-P",
                                   4, "--rate", 2500, "-n", 10000, "--quiet", 5, "--acked-file", acked)
        for number in range(5):
            wait_for(lambda wanted=(1 + number) * 1500: count_lines(acked) > wanted, "traffic flows", 30)
            line["window"] = 50 + number
            self.assertIn("bridges=1", gateway.reload())
        self.assertEqual(publisher.wait(60), 0, publisher.log_text())
        report = json.loads(publisher.log_text())
        self.assertEqual((report["lost"], report["acknowledged"]), (0, 10000), report)

    def test_the_backlog_goes_to_the_new_address_of_a_changed_bridge(self):
        """The remote moved: an edited address is enough, nothing of what waits is lost."""
        remote = self.remote_with_session()
        line = bridge(free_port(), [rule("load/#", remote_prefix="up/")])
        gateway = self.gateway(line).start()
        acked = self.fill(gateway)
        line["addresses"] = [f"127.0.0.1:{remote.port}"]
        since = gateway.log_size()
        gateway.reload()
        self.all_arrive(remote, acked)
        gateway.wait_log(f"Bridge connected: bridge=cloud address=127.0.0.1:{remote.port}", since=since)
        line["window"] = 50
        since = gateway.log_size()
        gateway.reload()
        gateway.wait_log("Bridge connected: bridge=cloud", since=since)

    def test_a_changed_rule_applies_at_once_and_leaves_devices_connected(self):
        remote = self.mosquitto().start()
        line = bridge(remote.port, [rule("a/#")])
        gateway = self.gateway(line).start()
        remote.wait_log(r"as gw\.cloud")
        with gateway.client("device") as device, remote.client("cloud") as cloud:
            cloud.subscribe("#")
            device.publish("b/1", "no rule yet", 1)
            device.publish("a/1", "first", 1)
            self.assertEqual([m.topic for m in cloud.messages(1)], ["a/1"])
            line["rules"] = [rule("b/#", remote_prefix="moved/")]
            gateway.reload()
            device.publish("a/2", "no rule any more", 1)
            device.publish("b/2", "second", 1)
            self.assertEqual([m.topic for m in cloud.messages(1)], ["moved/b/2"])
            device.ping()

    def test_a_new_rule_sends_what_was_retained_before_it_once(self):
        """A dashboard in the cloud shows what devices say rarely, from the day the rule is made; also by a start."""
        remote = self.mosquitto().start()
        line = bridge(remote.port, [rule("a/#")])
        gateway = self.gateway(line).start()
        with remote.client("cloud") as cloud, gateway.client("device") as device:
            cloud.subscribe("#")
            for topic in ("b/1", "b/2", "c/1"):
                device.publish(topic, "kept", 1, retain=True)
            line["rules"].append(rule("b/#", remote_prefix="up/"))
            gateway.reload()
            self.assertEqual([m.topic for m in cloud.messages(2)], ["up/b/1", "up/b/2"])
            gateway.terminate()
            line["rules"].append(rule("c/#"))
            gateway.write()
            gateway.start()
            with gateway.client("again") as again:
                again.publish("a/last", "", 1)
            self.assertEqual([m.topic for m in cloud.messages(2)], ["c/1", "a/last"])

    def test_bridges_come_and_go_live_and_a_removed_ones_queue_is_kept(self):
        remote = self.mosquitto().start()
        gateway = self.gateway().start()
        with gateway.client("device") as device, remote.client("cloud") as cloud:
            cloud.subscribe("data/#")
            line = bridge(remote.port, [rule("data/#")])
            gateway.config["bridges"] = [line]
            gateway.reload()
            device.publish("data/1", "1", 1)
            self.assertEqual([m.topic for m in cloud.messages(1)], ["data/1"])
            remote.terminate()
        device = gateway.client("device")
        self.addCleanup(device.close)
        for number in range(2, 12):
            device.publish(f"data/{number}", "waits", 1)
        gateway.config["bridges"] = []
        log = gateway.reload()
        self.assertRegex(log, r"Bridge removed, its queue is kept: bridge=cloud messages=10")
        device.publish("data/12", "no bridge", 1)
        gateway.config["bridges"] = [line]
        remote.start()
        with remote.client("cloud") as cloud:
            cloud.subscribe("data/#")
            gateway.reload()
            got = [m.topic for m in cloud.messages(10)]
            self.assertEqual(got, [f"data/{number}" for number in range(2, 12)])

    def test_a_bridge_added_again_while_its_old_link_ends_goes_on_where_that_stops(self):
        """The last acknowledgements of a link that ends are in memory only: a successor that reads the store instead
        sends again what the remote has. Rounds with a pause find the link ended and no bridge at all."""
        links, ended, drain = [], [], threading.Event()

        def remote(_, stream):
            """Acknowledges half when the link says goodbye, and not the goodbye, so that the link waits for that."""
            end = Client.serve(stream, acknowledges=False)
            got = []
            links.append(got)
            try:
                while True:
                    received = end.receive(60)
                    if received.kind != PUBLISH:
                        continue
                    message = end.parse_publish(received)
                    if message.topic == "data":
                        got.append(message)
                    if message.payload == b"0":
                        for each in got[:len(got) // 2]:
                            end.acknowledge(each)
                    elif drain.is_set() or message.topic != "data":
                        end.acknowledge(message)
            finally:
                ended.append(got)

        peer = self.peer(remote)
        line = bridge(peer.port, [rule("data")])
        gateway = self.gateway(line).start()
        device, watch = self.client(gateway, "device"), self.client(gateway, "watch")
        first, published, in_time = 1, 0, 0

        def publish_and_check(link):
            nonlocal published
            for _ in range(10):
                published += 1
                device.publish("data", str(published), 1)
            newest = str(published).encode()
            wait_for(lambda: len(links) > link and links[link] and links[link][-1].payload == newest, "all arrive")
            self.assertEqual([int(m.payload) for m in links[link]], list(range(first, published + 1)), f"link {link}")

        for link in range(6):
            publish_and_check(link)
            gateway.config["bridges"] = []
            gateway.reload()
            if link % 3 == 2:
                wait_for(lambda wanted=link: len(ended) > wanted, "the link ends")
            gateway.config["bridges"] = [line]
            gateway.reload()
            in_time += len(ended) == link
            first += len(links[link]) // 2
        print(f"{in_time} of 4 found the old link still ending", flush=True)
        self.assertGreater(in_time, 0)
        drain.set()
        publish_and_check(6)
        status = self.status(watch)
        wait_for(lambda: status()["queue_messages"] == 0, "the queue is empty")

    def test_listeners_come_and_go_live(self):
        gateway = self.gateway().start()
        lan = gateway.config["listeners"][0]
        extra = {"name": "extra", "bind": "127.0.0.1", "port": free_port(), "allow_anonymous": True}
        with gateway.client("stays") as stays:
            gateway.config["listeners"] = [lan, extra]
            self.assertIn("Listening: listener=extra", gateway.reload())
            with gateway.client("guest", host="127.0.0.1") as guest:
                guest.ping()
            self.assertTrue(answers(extra["port"]))
            gateway.config["listeners"] = [lan]
            gateway.reload()
            wait_for(lambda: not answers(extra["port"]), "the removed listener is closed")
            stays.ping()

    def test_the_port_of_the_command_line_stays_through_reloads(self):
        port, written = free_port(), free_port()
        gateway = self.gateway(options=["-p", port])
        lan = gateway.config["listeners"][0]
        lan["port"] = port
        gateway.start()
        lan["port"] = written  # which -p overrules
        with Client(port, "stays") as stays:
            for log_level in ("info", "debug"):
                gateway.config["log"] = {"level": log_level}
                self.assertIn("listeners=0", gateway.reload())
                stays.ping()
                Client(port, "new one").close()
                self.assertFalse(answers(written))
            gateway.config["listeners"] = [lan, {**lan, "name": "second", "port": free_port()}]
            log = gateway.reload()  # of which should have it?
            self.assertIn("-p needs a configuration with one listener; this one has 2", log)
            self.assertIn("not reloaded: the running one stays", log)
            stays.ping()
            self.assertFalse(answers(written))

    def test_a_bad_configuration_changes_nothing_and_is_told(self):
        gateway = self.gateway().start()
        lan = gateway.config["listeners"][0]
        gateway.config["listeners"] = [{**lan, "prot": 1}]
        with gateway.client("stays") as stays:
            log = gateway.reload()
            self.assertIn("not reloaded: the running one stays", log)
            self.assertIn("/listeners/0/prot", log)
            self.assertIn('"port"', log)
            stays.ping()
            gateway.file.write_text("{ this is no JSON")
            since = gateway.log_size()
            gateway.signal(signal.SIGHUP)
            gateway.wait_log("not reloaded: the running one stays", 20, since)
            gateway.file.unlink()
            since = gateway.log_size()
            gateway.signal(signal.SIGHUP)
            gateway.wait_log("not reloaded: the running one stays", 20, since)
            stays.ping()
            gateway.client("new one").close()

    def test_what_waits_for_a_restart_is_named(self):
        gateway = self.gateway().start()
        gateway.config["store"]["path"] = str(self.folder / "elsewhere")
        log = gateway.reload()
        self.assertRegex(log, r"Waits for a restart: key=/?store[/.]path")
        self.assertFalse((self.folder / "elsewhere").exists())

    def test_users_come_and_go_live(self):
        """A new device, or one that was stolen, needs no restart."""
        gateway = self.gateway()
        gateway.config["listeners"][0]["allow_anonymous"] = False
        first, first_password = self.make_user("first")
        second, second_password = self.make_user("second")
        gateway.config["access"] = {"users": [first]}
        gateway.start()
        gateway.client("a", username="first", password=first_password).disconnect()
        with self.assertRaises((Refused, Closed)):
            gateway.client("b", username="second", password=second_password)
        gateway.config["access"]["users"] = [second]
        gateway.reload()
        gateway.client("b", username="second", password=second_password).disconnect()
        with self.assertRaises((Refused, Closed)):
            gateway.client("a", username="first", password=first_password)
        with self.assertRaises((Refused, Closed)):
            gateway.client("c", username="second", password=first_password)
        with self.assertRaises((Refused, Closed)):
            gateway.client("d")


if __name__ == "__main__":
    main()
