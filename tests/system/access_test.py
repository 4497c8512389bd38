#!/usr/bin/python3
"""Who may log in, and who may do what: Mosquitto's files unchanged, our own rules, nothing leaks.

The pain: a gateway that takes Mosquitto's place and wants every password again; rules that are accepted and do not
hold; hundreds of devices that log in at once after a power cut while everybody else waits.
"""

import base64
import hashlib
import hmac
import os
import pty
import statistics
import subprocess
import time

import raw_mqtt
from raw_mqtt import Closed, Refused
from support import SLOWNESS, TIDEGATE, Case, main

ACL = """\
# anonymous
topic read open/#

user anna
topic read a/#
topic write up/#
topic deny a/secret

user bert
topic readwrite #

pattern write own/%u/%c
"""


class MosquittosFiles(Case):
    def setUp(self):
        super().setUp()
        self.passwords = self.folder / "passwords"
        self.passwords.touch(0o600)
        for form, user in (("sha512", "anna"), ("sha512-pbkdf2", "bert")):
            subprocess.run(["mosquitto_passwd", "-H", form, "-b", self.passwords, user, "pw-" + user], check=True,
                           capture_output=True)
        self.acl = self.folder / "acl"
        self.acl.write_text(ACL)

    def serve(self, anonymous=True, **access):
        gateway = self.gateway(access={"password_file": "passwords", "acl_file": "acl", **access}, options=["-v"])
        gateway.config["listeners"][0]["allow_anonymous"] = anonymous
        return gateway.start()

    def mosquitto_pub(self, gateway, user, password, topic, *options):
        return self.run_program("mosquitto_pub", "-p", gateway.port, "-u", user, "-P", password, "-t", topic, "-m", "x",
                                "-q", 1, *options)

    def test_users_log_in_with_the_passwords_they_have(self):
        gateway = self.serve(anonymous=False)
        for user in ("anna", "bert"):
            self.assertEqual(self.mosquitto_pub(gateway, user, "pw-" + user, "up/x").returncode, 0)
            done = self.mosquitto_pub(gateway, user, "wrong", "up/x")
            self.assertIn("bad user name or password", done.stdout + done.stderr)
        self.assertNotEqual(self.mosquitto_pub(gateway, "carl", "pw-anna", "up/x").returncode, 0)
        anonymous = self.run_program("mosquitto_pub", "-p", gateway.port, "-t", "up/x", "-m", "x")
        self.assertNotEqual(anonymous.returncode, 0)

    def test_the_acl_file_holds_as_it_says(self):
        gateway = self.serve()
        bert = self.client(gateway, "b", username="bert", password="pw-bert")
        bert.subscribe("#")
        anna = self.client(gateway, "c1", username="anna", password="pw-anna", level=5)
        nobody = self.client(gateway, "n")
        for topic, allowed in (("up/1", True), ("a/1", False), ("own/anna/c1", True), ("own/bert/c1", False)):
            with self.subTest(topic):
                self.assertEqual(anna.publish(topic, "x", 1), 0 if allowed else 0x87)
        self.assertEqual([m.topic for m in bert.messages(2)], ["up/1", "own/anna/c1"])
        anna.subscribe("#", qos=1)
        nobody.subscribe("open/#", qos=1)
        for topic in ("a/1", "a/secret", "up/2", "open/1"):
            bert.publish(topic, "y", 1)
        self.assertEqual([m.topic for m in anna.messages(1)], ["a/1"])
        self.assertEqual([m.topic for m in nobody.messages(1)], ["open/1"])
        for client in (anna, nobody):
            client.ping()
            self.assertEqual(client.inbox, [])

    def test_a_reload_brings_new_passwords_and_rules(self):
        gateway = self.serve()
        anna = self.client(gateway, "c1", username="anna", password="pw-anna", level=5)
        subprocess.run(["mosquitto_passwd", "-b", self.passwords, "carl", "pw-carl"], check=True, capture_output=True)
        self.acl.write_text(ACL.replace("topic write up/#", "topic write other/#"))
        gateway.reload()
        self.assertEqual(self.mosquitto_pub(gateway, "carl", "pw-carl", "own/carl/x", "-i", "x").returncode, 0)
        self.assertEqual(anna.publish("up/1", "x", 1), 0x87)
        self.acl.write_text("topik a\n")
        since = gateway.log_size()
        gateway.signal(1)
        gateway.wait_log(r"acl:1:1: error", since=since)
        gateway.wait_log("the running one stays", since=since)
        self.assertNotEqual(anna.publish("other/1", "x", 1), 0x87)

    def test_no_secret_stands_in_the_log(self):
        gateway = self.serve(anonymous=False)
        for user, password in (("anna", "pw-anna"), ("anna", "pw-wrong"), ("nobody", "pw-nobody")):
            self.mosquitto_pub(gateway, user, password, "up/x")
        text = gateway.log_text()
        self.assertNotRegex(text, r"pw-|\$6\$|\$7\$")


class Logins(Case):
    def test_an_unknown_user_takes_as_long_as_a_wrong_password(self):
        anna, _ = self.make_user("anna")
        gateway = self.gateway(access={"users": [anna]}, limits={"max_login_delay": "off"}).start()

        def refused_after(user):
            begin = time.monotonic()
            with self.assertRaises(Refused):
                gateway.client("c", username=user, password="wrong")
            return time.monotonic() - begin
        known, unknown = [], []
        for _ in range(9):
            known.append(refused_after("anna"))
            unknown.append(refused_after("stranger"))
        ratio = statistics.median(unknown) / statistics.median(known)
        self.assertTrue(0.6 < ratio < 1.67, f"{ratio:.2f}")

    def test_three_hundred_devices_that_come_back_at_once_do_not_hash_again(self):
        anna, password = self.make_user("anna")
        gateway = self.gateway(access={"users": [anna]}, limits={"max_pending_connects": 1000}).start()
        with gateway.client("first", username="anna", password=password):
            pass
        begin = time.monotonic()
        clients = [self.client(gateway, f"d{n}", username="anna", password=password) for n in range(300)]
        took = time.monotonic() - begin
        self.assertLess(took, 5 * SLOWNESS, "300 log-ins, 50 ms each when hashed")
        self.assertEqual(len(clients), 300)


class ClientIds(Case):
    """Whose session it is."""

    def test_the_user_name_is_the_client_id_and_nobody_takes_it_over(self):
        anna, of_anna = self.make_user("anna")
        bert, of_bert = self.make_user("bert")
        gateway = self.gateway(access={"users": [anna, bert],
                                       "acl": [{"user": "*", "access": "readwrite", "topic": "own/%c/#"}]})
        gateway.config["listeners"][0].update(allow_anonymous=False, use_username_as_client_id=True)
        gateway.start()
        first = self.client(gateway, "x", username="anna", password=of_anna)
        first.subscribe("own/anna/#")
        self.client(gateway, "anna", username="bert", password=of_bert)
        first.publish("own/anna/a", "still here", 1)
        self.assertEqual([message.payload for message in first.messages(1)], [b"still here"])
        self.client(gateway, "y", username="anna", password=of_anna)
        with self.assertRaises(Closed):
            first.ping()

    def test_ids_that_are_given_have_the_prefix_and_none_are_given_where_none_may_be(self):
        gateway = self.gateway()
        gateway.config["listeners"][0]["auto_id_prefix"] = "hall-"
        gateway.start()
        self.client(gateway)
        gateway.wait_log('Client connected: client_id="hall-')
        gateway.config["listeners"][0]["allow_empty_client_id"] = False
        gateway.reload()
        for level, code in ((4, 2), (5, 0x85)):
            with self.assertRaises(Refused) as refused:
                gateway.client(level=level)
            self.assertEqual(refused.exception.code, code)


AUTH = 15


class Scram(Case):
    """The client's side, written from RFC 5802 and RFC 7677 and not from ours."""

    def log_in(self, gateway, user, password):
        client = gateway.client(connect=False)
        self.addCleanup(client.close)

        def properties(data):
            method = b"\x15" + raw_mqtt.text("SCRAM-SHA-256") + b"\x16" + raw_mqtt.text(data)
            return raw_mqtt.varint(len(method)) + method

        def data_of(body):
            return body[body.index(b"\x16") + 3:].decode()

        bare = f"n={user},r=client-nonce"
        client.send(raw_mqtt.packet(raw_mqtt.CONNECT, 0, raw_mqtt.text("MQTT") + b"\x05\x02\0\x3c" +
                                    properties("n,," + bare) + raw_mqtt.text("scram")))
        challenge = client.receive()
        if challenge.kind != AUTH:
            return challenge.body[1]
        first = data_of(challenge.body)
        nonce, salt, iterations = (part[2:] for part in first.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
        signed = f"{bare},{first},c=biws,r={nonce}".encode()

        def mac(key, message):
            return hmac.new(key, message, "sha256").digest()

        key = mac(salted, b"Client Key")
        proof = bytes(a ^ b for a, b in zip(key, mac(hashlib.sha256(key).digest(), signed)))
        final = f"c=biws,r={nonce},p={base64.b64encode(proof).decode()}"
        client.send(raw_mqtt.packet(AUTH, 0, b"\x18" + properties(final)))
        connack = client.receive()
        if connack.body[1] == 0:
            expected = base64.b64encode(mac(mac(salted, b"Server Key"), signed)).decode()
            self.assertIn(f"v={expected}".encode(), connack.body)
        return connack.body[1]

    def test_a_client_proves_its_password_and_never_sends_it(self):
        file = self.folder / "passwords"
        subprocess.run([TIDEGATE, "passwd", "--scram", "-c", "-b", file, "anna", "pencil"], check=True)
        subprocess.run([TIDEGATE, "passwd", "-b", file, "bert", "pencil"], check=True)
        self.assertTrue(file.read_text().startswith("anna:SCRAM-SHA-256$4096:"))
        gateway = self.gateway(access={"password_file": str(file)})
        gateway.config["listeners"][0]["allow_anonymous"] = False
        gateway.start()
        self.assertEqual(self.log_in(gateway, "anna", "pencil"), 0)
        for user, password in (("anna", "pen"), ("nobody", "pencil"), ("bert", "pencil")):
            self.assertEqual(self.log_in(gateway, user, password), 0x87, user)
        self.client(gateway, "plain", username="anna", password="pencil")
        with self.assertRaises(Refused):
            self.client(gateway, "plain", username="anna", password="pen")


class Commands(Case):
    def passwd(self, *words, stdin=None):
        done = subprocess.run([TIDEGATE, "passwd", *map(str, words)], input=stdin, capture_output=True, text=True,
                              timeout=30 * SLOWNESS, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_passwd_keeps_a_file_as_mosquitto_passwd_does(self):
        file = self.folder / "passwords"
        self.assertEqual(self.passwd("-c", "-b", file, "anna", "one")[0], 0)
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.passwd(file, "bert", stdin="two\n")[0], 0)
        with file.open("a") as text:
            text.write("# a comment\ncarl:three\n")
        self.assertEqual(self.passwd("-U", file), (0, "Passwords hashed: 1\n"))
        self.assertEqual(self.passwd("-U", file), (0, "Passwords hashed: 0\n"))
        self.assertEqual(self.passwd("-b", file, "anna", "1")[0], 0)
        users = dict(line.split(":") for line in file.read_text().splitlines() if line[0] != "#")
        self.assertEqual(list(users), ["anna", "bert", "carl"])
        for line in users.values():
            self.assertTrue(line.startswith("$argon2id$"))
        gateway = self.gateway(access={"password_file": str(file)})
        gateway.config["listeners"][0]["allow_anonymous"] = False
        gateway.start()
        for user, password in (("anna", "1"), ("bert", "two"), ("carl", "three")):
            self.client(gateway, user, username=user, password=password)
        self.assertEqual(self.passwd("-D", file, "bert")[0], 0)
        self.assertNotIn("bert", file.read_text())

    def test_passwd_says_what_is_wrong_and_changes_nothing(self):
        file = self.folder / "passwords"
        for words, says in (((file, "anna"), "-c makes a new file"), (("-D", file, "anna"), "cannot read"),
                            (("-c", "-b", file, "an:na", "x"), "without a colon"),
                            (("-c", "-b", file, "anna", "$6$abc$def"), "a hash already"),
                            (("-c", "-b", file, "anna", "$2y$10$another-form"), "a hash already"),
                            (("-c", "-b", file, "anna", ""), "no password")):
            with self.subTest(says):
                code, output = self.passwd(*words, stdin="secret\n")
                self.assertEqual(code, 1)
                self.assertIn(says, output)
        self.assertFalse(file.exists())

    def type_password(self, file, *lines):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(TIDEGATE, [TIDEGATE, "passwd", "-c", str(file), "anna"])
        shown = b""
        for prompt, line in zip((b"Password: ", b"Again: "), lines):
            while not shown.endswith(prompt):
                shown += os.read(terminal, 100)
            os.write(terminal, line.encode() + b"\n")
        try:
            while chunk := os.read(terminal, 100):
                shown += chunk
        except OSError:  # how Linux says that the other side is gone
            pass
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()

    def test_passwd_asks_twice_without_echo(self):
        file = self.folder / "passwords"
        code, shown = self.type_password(file, "hidden-word", "hidden-word")
        self.assertEqual(code, 0, shown)
        self.assertNotIn("hidden-word", shown)
        before = file.read_text()
        code, shown = self.type_password(file, "hidden-word", "another")
        self.assertEqual(code, 1)
        self.assertIn("the two differ", shown)
        self.assertEqual(file.read_text(), before)

    def test_acl_test_says_yes_or_no_and_by_which_line(self):
        (self.folder / "acl").write_text(ACL)
        gateway = self.gateway(access={"acl_file": "acl", "acl": [{"user": "*", "access": "read", "topic": "all"}]})
        gateway.write()
        for question, code, says in (("anna c read a/1", 0, r"^yes: .*acl:5$"),
                                     ("anna c read a/secret", 4, r"^no: .*acl:7$"),
                                     ("anna c write a/1", 4, "^no: no rule allows it$"),
                                     ("- c read open/x", 0, r"^yes: .*acl:2$"),
                                     ("- c read all", 0, r"^yes: .*\.json:\d+$"),
                                     ("anna c write own/anna/c", 0, r"^yes: .*acl:12$"),
                                     ("anna c read up/#", 4, "^no: nothing of what it matches$"),
                                     ("anna c read #", 0, "^yes: some of what it matches")):
            with self.subTest(question):
                done = self.run_program(TIDEGATE, "acl-test", "-c", gateway.file, *question.split())
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertRegex(done.stdout.strip(), says)


if __name__ == "__main__":
    main()
