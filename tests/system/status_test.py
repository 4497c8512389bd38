#!/usr/bin/python3
"""What the gateway says about itself: the $SYS tree as Mosquitto has it, and the log wherever it is wanted;
and whom it keeps out.

The pain: dashboards and scripts read $SYS by Mosquitto's names; a bridge that delivers nothing looks like one that
does.
"""

import json
import os
import pwd
import re
import signal
import socket
import time
import unittest
from pathlib import Path

from raw_mqtt import Refused, connect_packet
from support import SLOWNESS, Case, answers, bridge, free_port, main, rule, wait_for

ROOT = "$SYS/broker/"
PAGE = Path(__file__).resolve().parents[2] / "gateway/status/SYS-TOPICS.md"
# Its tree without what other programs of the test connect: the bridges' states and the log.
APART = re.compile(r"\$SYS/broker/(connection|log)/")


class Status(Case):
    def value(self, client, name):
        """A function that returns the newest value of a topic, as `client` sees it, which subscribes here."""
        topic = ROOT + name
        client.subscribe(topic, qos=0)

        def newest():
            client.ping()
            found = [message for message in client.inbox if message.topic == topic]
            return found[-1].payload.decode() if found else None
        return newest

    def closed_at_once(self, port, host="127.0.0.1", source=None):
        with socket.create_connection((host, port), 20, (source, 0) if source else None) as peer:
            peer.settimeout(20)
            try:
                peer.sendall(connect_packet("line3-x"))
                return peer.recv(1) == b""
            except ConnectionError:
                return True


class Sys(Status):
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
        self.assertGreater(int(self.value(watch, "subscriptions/count")()), 1)
        shared = self.value(watch, "shared_subscriptions/count")
        watch.subscribe("$share/group/a", qos=0)
        wait_for(lambda: shared() == "1", "the shared one is counted")
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


class Log(Case):
    """Each destination takes the lines as it wants them."""

    def log_to(self, *destinations, **more):
        return self.gateway(log={"destinations": [{"type": "stderr"}, *destinations], **more})

    def daemon(self, name):
        """A socket in the place of a daemon's, and a function that returns the next datagram with some text in it."""
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(told.close)
        told.bind(str(self.folder / name))
        told.settimeout(20 * SLOWNESS)

        def datagram(text):
            while True:
                got = told.recv(65536).decode()
                if text in got:
                    return got
        return datagram

    def test_lines_are_text_with_time_level_and_component(self):
        gateway = self.log_to().start()
        line = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d "
        self.assertRegex(gateway.log_text(), re.compile(line + r"notice \[gateway\] Tidegate starts: ", re.M))
        self.assertRegex(gateway.log_text(), re.compile(line + r"info \[net\] Listening: ", re.M))

    def test_timestamps_may_be_seconds_or_absent(self):
        for how, form in {"unix": r"^\d{10}\.\d{3} notice ", "none": "^notice "}.items():
            with self.subTest(how):
                gateway = self.gateway(name=how, log={"timestamp": how}).start()
                self.assertRegex(gateway.log_text(), re.compile(form, re.M))
                self.assertEqual(gateway.terminate(), 0)

    def test_connection_messages_may_be_off(self):
        gateway = self.gateway(log={"connection_messages": False}).start()
        gateway.client("device").close()
        gateway.config["log"]["connection_messages"] = True
        gateway.reload()
        gateway.client("other").close()
        gateway.wait_log("Client disconnected: client_id=.other")
        self.assertNotIn("device", gateway.log_text())

    def test_stdout_and_json(self):
        gateway = self.gateway(log={"destinations": [{"type": "stdout", "format": "json"}]}).start()
        gateway.client('a"b\n').close()
        gateway.wait_log("Client disconnected")
        lines = [json.loads(line) for line in gateway.log_text().splitlines()]
        self.assertEqual({key for line in lines for key in line}, {"time", "level", "component", "message"})
        self.assertIn("broker", {line["component"] for line in lines})

    def test_a_file_is_rotated_and_opened_anew_at_sighup(self):
        path = self.folder / "gateway-file.log"
        gateway = self.log_to({"type": "file", "path": str(path), "max_size": "64KiB", "keep": 2}).start()
        wait_for(lambda: path.exists() and "Listening" in path.read_text(), "the file is written")
        path.rename(self.folder / "moved")
        gateway.reload()
        wait_for(lambda: path.exists() and "Configuration reloaded" in path.read_text(), "it begins anew")
        self.assertNotIn("Configuration reloaded", (self.folder / "moved").read_text())
        rotated = self.folder / "gateway-file.log.1"
        while not rotated.exists():
            for number in range(100):
                gateway.client(f"device-{number}").close()
        self.assertLessEqual(rotated.stat().st_size, 65536)
        self.assertGreater(rotated.stat().st_size, 60000)
        self.assertEqual(path.stat().st_mode & 0o777, 0o640)

    def test_mosquittos_other_signals_end_nothing_and_rtmin_opens_the_file_anew(self):
        path = self.folder / "gateway-file.log"
        gateway = self.log_to({"type": "file", "path": str(path)}).start()
        wait_for(lambda: path.exists() and "Listening" in path.read_text(), "the file is written")
        for number, name in ((signal.SIGUSR1, "SIGUSR1"), (signal.SIGUSR2, "SIGUSR2")):
            gateway.signal(number)
            gateway.wait_log(f"Nothing to do: signal={name}")
        path.rename(self.folder / "moved")
        gateway.signal(signal.SIGRTMIN)
        wait_for(lambda: gateway.client("device").close() or (path.exists() and "device" in path.read_text()),
                 "it begins anew", every=0.1)
        self.assertEqual(gateway.terminate(), 0)

    def test_quiet_has_errors_only(self):
        gateway = self.gateway(options=["-q"], log={"level": "info", "components": {"net": "debug"}})
        gateway.write()
        gateway.spawn()
        wait_for(lambda: answers(gateway.port), "it listens")
        gateway.client("device").close()
        self.assertEqual(gateway.terminate(), 0)
        self.assertEqual(gateway.log_text(), "")

    def test_syslog_has_facility_and_level(self):
        datagram = self.daemon("syslog")
        self.log_to({"type": "syslog", "path": str(self.folder / "syslog"), "facility": "local3"}).start()
        self.assertRegex(datagram("Tidegate starts"),
                         r"^<157>\w{3} [ \d]\d \d\d:\d\d:\d\d tidegate\[\d+\]: notice \[gateway\] Tidegate starts: ")
        self.assertRegex(datagram("Listening"), r"^<158>")

    def test_the_journal_has_fields(self):
        datagram = self.daemon("journal")
        self.log_to({"type": "journal", "path": str(self.folder / "journal")}).start()
        fields = dict(line.split("=", 1) for line in datagram("Tidegate starts").splitlines())
        self.assertEqual(fields["PRIORITY"], "5")
        self.assertEqual(fields["SYSLOG_IDENTIFIER"], "tidegate")
        self.assertEqual(fields["TIDEGATE_COMPONENT"], "gateway")
        self.assertIn("Tidegate starts", fields["MESSAGE"])

    def test_stderr_that_systemd_reads_carries_levels(self):
        gateway = self.gateway()
        gateway.write()
        gateway.log.touch()
        is_ = gateway.log.stat()
        gateway.env = {"JOURNAL_STREAM": f"{is_.st_dev}:{is_.st_ino}"}
        gateway.start()
        self.assertRegex(gateway.log_text(), re.compile(r"^<5>notice \[gateway\] Tidegate starts", re.M))
        self.assertRegex(gateway.log_text(), re.compile(r"^<6>info \[net\] Listening", re.M))

    def test_a_destination_that_fails_is_told_of_and_counted(self):
        gateway = self.log_to({"type": "syslog", "path": str(self.folder / "nobody")}).start()
        gateway.wait_log("Cannot write the log: destination=syslog at .*nobody")
        watch = self.client(gateway, "watch")
        watch.subscribe(ROOT + "logging/dropped", qos=0)
        self.assertGreater(int(watch.messages(1)[0].payload), 0)
        self.assertEqual(gateway.log_text().count("Cannot write the log"), 1)

    def test_topics_are_mosquittos_and_do_not_feed_themselves(self):
        gateway = self.log_to({"type": "topic"}, {"type": "topic", "by_component": True, "format": "json"},
                              level="debug").start()
        watch = self.client(gateway, "watch")
        watch.subscribe(ROOT + "log/#", qos=0)
        gateway.client("device").close()
        gateway.wait_log("Client disconnected: client_id=.device")

        def topics():
            watch.ping()
            return {message.topic: message.payload.decode() for message in watch.inbox
                    if b"Client disconnected" in message.payload}
        wait_for(lambda: len(topics()) == 2, "both topics have it")
        self.assertRegex(topics()[ROOT + "log/N"], r"T.* notice \[broker\] Client disconnected: client_id=.device")
        self.assertEqual(json.loads(topics()[ROOT + "log/N/broker"])["component"], "broker")
        self.assertIn(ROOT + "log/D", {message.topic for message in watch.inbox})
        # A line per publish of a line would never end.
        before = len(watch.inbox)
        for _ in range(20):
            watch.ping()
        self.assertLess(len(watch.inbox) - before, 20)
        values = self.run_program("mosquitto_sub", "-p", gateway.port, "-t", ROOT + "log/N", "-W", 1,
                                  "--retained-only")
        self.assertEqual(values.stdout, "", "they are not retained")

    def test_levels_by_component_apply_at_a_reload(self):
        gateway = self.gateway(log={"level": "warning", "components": {"net": "info"}})
        gateway.start()
        self.assertNotIn("Tidegate starts", gateway.log_text())
        self.assertIn("[net] Listening", gateway.log_text())
        gateway.config["log"] = {"level": "info", "components": {"broker": "debug"}}
        gateway.write()
        gateway.signal(signal.SIGHUP)
        gateway.wait_log("Configuration reloaded")
        since = gateway.log_size()
        with gateway.client("device") as device:
            device.subscribe("a/#", qos=1)
        gateway.wait_log("Client step: SUBSCRIBE client_id=.device. .*topic=.a/#. outcome=.granted qos 1", since=since)

    def test_destinations_change_at_a_reload_if_they_can_be_written(self):
        path = self.folder / "late.log"
        gateway = self.log_to().start()
        gateway.config["log"]["destinations"].append({"type": "file", "path": str(path)})
        gateway.reload()
        wait_for(lambda: gateway.client("device").close() or (path.exists() and "device" in path.read_text()),
                 "lines go there", every=0.1)
        gateway.config["log"]["destinations"][-1]["path"] = str(self.folder / "nowhere/late.log")
        gateway.reload()
        gateway.wait_log("cannot write the log to .*nowhere/late.log: .*; the log goes where it went")
        size = path.stat().st_size
        wait_for(lambda: gateway.client("device").close() or path.stat().st_size > size, "they still do", every=0.1)

    def test_verbose_has_a_line_per_step_and_no_payload(self):
        user, password = self.make_user("device")
        gateway = self.gateway(bridge(free_port(), [rule("data/#")]), options=["-v"], access={
            "users": [user], "acl": [{"user": "device", "access": "readwrite", "topic": "data/#"}]})
        gateway.config["listeners"][0]["allow_anonymous"] = False
        gateway.start()
        with gateway.client("one", username="device", password=password, level=5) as device:
            device.subscribe("data/#", qos=1)
            device.publish("data/x", "the-payload", 1)
            device.publish("other/x", "the-payload", 1)
        for line in ("Connection accepted: listener=lan", "Client step: CONNECT .*outcome=.MQTT 5.0",
                     "Client step: CONNECT .*outcome=.the log-in is checked", "Client step: SUBSCRIBE",
                     "Client step: PUBLISH refused .*topic=.other/x. outcome=.not authorized",
                     "Bridge step: bridge=cloud"):
            gateway.wait_log(line)
        self.assertNotIn("the-payload", gateway.log_text())
        self.assertNotIn(password, gateway.log_text())

    def test_none_is_none(self):
        gateway = self.gateway(log={"destinations": []})
        gateway.write()
        gateway.spawn()
        wait_for(lambda: answers(gateway.port), "it listens")
        self.assertEqual(gateway.terminate(), 0)
        self.assertEqual(gateway.log_text(), "")


class Guards(Status):
    """Who may connect, how often, and how long one who guesses passwords waits."""

    def listener(self, gateway, **more):
        gateway.config["listeners"][0].update(more)
        return gateway

    def counted(self, gateway, name, wanted):
        with gateway.client("line3-watch", **self.login) as watch:
            watch.subscribe(ROOT + name, qos=0)
            wait_for(lambda: watch.ping() or watch.inbox and watch.inbox[-1].payload.decode() == wanted,
                     f"{name} is {wanted}")

    login = {}

    def test_client_ids_have_a_prefix(self):
        gateway = self.listener(self.gateway(), client_id_prefixes=["line3-"]).start()
        self.client(gateway, "line3-a")
        for level, code in ((4, 2), (5, 0x85)):
            with self.assertRaises(Refused) as refused:
                gateway.client("line4-a", level=level)
            self.assertEqual(refused.exception.code, code)

    def test_addresses_are_allowed_and_denied(self):
        gateway = self.listener(self.gateway(), bind="0.0.0.0", allow_addresses=["127.0.0.0/8"],
                                deny_addresses=["127.0.0.128/25"]).start()
        self.client(gateway, "line3-a")
        self.assertTrue(self.closed_at_once(gateway.port, source="127.0.0.129"))
        self.assertFalse(self.closed_at_once(gateway.port, source="127.0.0.2"))
        self.counted(gateway, "connections/refused/address", "1")
        self.listener(gateway, deny_addresses=["127.0.0.2"])
        gateway.reload()
        self.assertTrue(self.closed_at_once(gateway.port, source="127.0.0.2"))
        self.assertFalse(self.closed_at_once(gateway.port, source="127.0.0.129"))

    def test_behind_a_proxy_it_is_the_clients_address_that_counts(self):
        gateway = self.gateway(limits={"max_connections_per_address": 2})
        gateway.config["listeners"].append({"name": "proxied", "bind": "127.0.0.1", "port": free_port(),
                                            "allow_anonymous": True, "proxy_protocol": True,
                                            "trusted_proxies": ["127.0.0.1"], "deny_addresses": ["203.0.113.0/24"]})
        gateway.start()

        def connects(address):
            peer = socket.create_connection(("127.0.0.1", gateway.config["listeners"][1]["port"]), 20)
            self.addCleanup(peer.close)
            header = f"PROXY TCP4 {address} 127.0.0.1 4711 1883\r\n".encode()
            peer.sendall(header + connect_packet(""))
            try:
                return peer.recv(4) == b"\x20\x02\x00\x00"
            except ConnectionError:
                return False
        self.assertTrue(connects("198.51.100.1"))
        self.assertFalse(connects("203.0.113.9"))
        gateway.wait_log(r"Client refused: .*peer=203\.0\.113\.9:4711 .*not allowed")
        self.assertTrue(connects("198.51.100.1"))
        self.assertFalse(connects("198.51.100.1"))
        self.assertTrue(connects("198.51.100.2"))

    def test_one_address_has_so_many_connections(self):
        gateway = self.gateway(limits={"max_connections_per_address": 3}).start()
        clients = [self.client(gateway, f"line3-{number}") for number in range(3)]
        self.assertTrue(self.closed_at_once(gateway.port))
        self.assertFalse(self.closed_at_once(gateway.port, source="127.0.0.2"))
        clients[0].close()
        wait_for(lambda: not self.closed_at_once(gateway.port), "there is room again")
        clients[1].close()
        wait_for(lambda: not self.closed_at_once(gateway.port), "and for one more")
        watch = self.client(gateway, "line3-watch")
        refused = self.value(watch, "connections/refused/per_address")
        wait_for(lambda: int(refused() or 0) >= 1, "it is counted")
        self.assertEqual(self.value(watch, "connections/refused/rate")(), "0")

    def test_a_full_gateway_says_so_once_and_counts(self):
        gateway = self.gateway().start()
        for number in range(2):
            self.client(gateway, f"line3-{number}")
        gateway.config["limits"] = {"max_connections": 2}
        gateway.reload()
        for _ in range(3):
            self.assertTrue(self.closed_at_once(gateway.port))
        gateway.wait_log('Connections refused: listener=lan connections=2 reason="limits.max_connections is reached"')
        self.assertEqual(gateway.log_text().count("Connections refused"), 1)
        gateway.config["limits"] = {}
        gateway.reload()
        self.counted(gateway, "connections/refused", "3")

    def test_connections_come_at_a_rate(self):
        gateway = self.gateway(limits={"connect_rate": 1, "connect_burst": 50}).start()
        refused = sum(self.closed_at_once(gateway.port) for _ in range(100))
        self.assertGreater(refused, 20)
        self.assertLess(refused, 60)
        gateway.config["limits"] = {}
        gateway.reload()
        self.assertFalse(self.closed_at_once(gateway.port))
        self.counted(gateway, "connections/refused/rate", str(refused))

    def test_guessing_gets_slower_and_others_are_not_touched(self):
        user, password = self.make_user("device")
        gateway = self.gateway(access={"users": [user]}, limits={"max_login_delay": "2s"})
        self.listener(gateway, bind="0.0.0.0", allow_anonymous=False).start()
        self.login = {"username": "device", "password": password}

        def tries(word, source="127.0.0.1"):
            peer = socket.create_connection(("127.0.0.1", gateway.port), 20, (source, 0))
            self.addCleanup(peer.close)
            start = time.monotonic()
            peer.sendall(connect_packet("line3-x" + source, username="device", password=word))
            return peer.recv(4)[3], time.monotonic() - start
        times = [tries("wrong")[1] for _ in range(6)]
        self.assertGreater(times[-1], 1.5)
        self.assertLess(times[0], times[-1])
        other = tries(password, "127.0.0.2")
        self.assertEqual(other[0], 0)
        self.assertLess(other[1], times[-1])
        code, took = tries(password)
        self.assertEqual(code, 0, "the right password is right, later")
        self.assertGreater(took, 1.5)
        self.counted(gateway, "logins/failed", "6")
        self.assertEqual(gateway.log_text().count("Log-ins slowed down: address=127.0.0.1 failures=3"), 1)
        self.assertEqual(gateway.log_text().count("Log-ins slowed down"), 1)


class Box(Status):
    """What the gateway may take of the box, and who it is there."""

    @unittest.skipUnless(os.geteuid() == 0, "to become somebody else: run as root")
    def test_started_as_root_it_becomes_the_user_and_keeps_working(self):
        self.folder.chmod(0o755)
        gateway = self.gateway(bridge(free_port(), [rule("data/#")]))
        gateway.config["gateway"]["user"] = "nobody"
        gateway.start()
        gateway.wait_log("Running as: user=nobody")
        ids = {int(word) for line in Path(f"/proc/{gateway.pid}/status").read_text().splitlines()
               if line.startswith(("Uid:", "Gid:")) for word in line.split()[1:]}
        groups = re.search(r"^Groups:\s*(.*)$", Path(f"/proc/{gateway.pid}/status").read_text(), re.M).group(1)
        nobody = pwd.getpwnam("nobody")
        self.assertEqual(ids, {nobody.pw_uid, nobody.pw_gid})
        self.assertNotIn("0", groups.split())
        for thread in Path(f"/proc/{gateway.pid}/task").iterdir():
            self.assertNotRegex((thread / "status").read_text(), r"\nUid:\t0")
        self.load("-p", gateway.port, "--mode", "publish", "-q", 1, "-P", 2, "-n", 2000, "--payload", 4096)
        owners = {each.stat().st_uid for each in gateway.store.rglob("*")} | {gateway.store.stat().st_uid}
        self.assertEqual(owners, {nobody.pw_uid})
        self.assertEqual(gateway.terminate(), 0)
        gateway.start()
        self.assertNotIn("Recovered after", gateway.log_text())

    def test_a_user_that_is_not_there_is_told(self):
        gateway = self.gateway()
        gateway.config["gateway"]["user"] = "no-such-user"
        gateway.write()
        gateway.spawn()
        self.assertEqual(gateway.wait(), 1)
        self.assertIn('no user "no-such-user" on this box', gateway.log_text())

    def test_the_pid_file_is_there_while_it_runs(self):
        path = self.folder / "tidegate.pid"
        gateway = self.gateway()
        gateway.config["gateway"]["pid_file"] = str(path)
        gateway.start()
        self.assertEqual(path.read_text(), f"{gateway.pid}\n")
        self.assertEqual(gateway.terminate(), 0)
        self.assertFalse(path.exists())

    def test_beyond_memory_limit_it_refuses_aloud(self):
        gateway = self.gateway(limits={"max_packet_size": "8MiB"}).start()
        device = self.client(gateway, "line3-device", level=5)
        heap = self.value(device, "heap/current")
        wait_for(heap, "the heap is known")
        gateway.config["gateway"]["memory_limit"] = f"{int(heap()) + (24 << 20)}B"
        gateway.reload()
        self.assertEqual(device.publish("kept/0", b"x" * (4 << 20), 1, retain=True), 0)
        for number in range(1, 8):
            device.publish(f"kept/{number}", b"x" * (4 << 20), 1, retain=True)
        gateway.wait_log("Memory is at its limit")
        self.assertEqual(device.publish("kept/9", "x", 1, retain=True), 0x97)
        self.assertLess(device.publish("live", "x", 1), 0x80)
        self.assertTrue(self.closed_at_once(gateway.port))
        gateway.config["gateway"]["memory_limit"] = "unlimited"
        gateway.reload()
        gateway.wait_log("Memory is below its limit again")
        self.assertEqual(device.publish("kept/9", "x", 1, retain=True), 0)
        self.assertFalse(self.closed_at_once(gateway.port))


if __name__ == "__main__":
    main()
