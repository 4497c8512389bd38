#!/usr/bin/python3
"""Devices come in over TLS, and certificates are renewed while it runs.

The pain: a broker that has to be restarted for each renewed certificate, that one slow or broken handshake holds up, or
that says "SSL error" where "the device does not know this CA" would do.
"""

import socket
import ssl
import threading
import time

import paho.mqtt.client as paho

from raw_mqtt import Client, Closed, Refused
from support import SLOWNESS, main, wait_for
from transport_case import TransportCase


class TlsCase(TransportCase):
    def setUp(self):
        super().setUp()
        self.certs("--client", "sensor1", "--client", "sensor2", "localhost", "127.0.0.1")

    def tls(self, name="tls", limits=None, anonymous=True, folder="certs", **keys):
        more = {"limits": limits} if limits else {}
        return self.listener(name, tls={**self.certificate(folder), **keys}, allow_anonymous=anonymous, **more)

    def clients_only(self, **more):
        here = self.folder / "certs"
        return {"ca_file": str(here / "ca.crt"), "require_certificate": True, **more}

    def pub(self, port, *options, topic="a/b", message="hello"):
        return self.run_program("mosquitto_pub", "-h", "localhost", "-p", port, "-q", 1, "-t", topic, "-m", message,
                                *options)


class Devices(TlsCase):
    def test_mosquittos_clients_with_each_tls_version(self):
        tls = self.tls()
        gateway = self.serve(tls)
        watch = self.client(gateway)
        watch.subscribe("#")
        for version in ("tlsv1.2", "tlsv1.3"):
            with self.subTest(version):
                done = self.pub(tls["port"], "--cafile", self.folder / "certs/ca.crt", "--tls-version", version,
                                message=version)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(watch.messages(1)[0].payload.decode(), version)

    def test_payloads_of_any_size_cross_whole(self):
        """Records hold 16 KB, so a large message is many of them, both ways."""
        tls = self.tls(limits={"max_packet_size": "8MiB", "max_queued_bytes": "64MiB"})
        gateway = self.serve(tls, limits={"max_packet_size": "8MiB"})
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version.name):
                subscriber = self.tls_client(tls["port"], self.trust(version=version))
                subscriber.subscribe("data/#")
                publisher = self.tls_client(tls["port"], self.trust(version=version))
                for size in (0, 1, 4095, 4096, 16383, 16384, 16385, 100_000, 3_000_000):
                    payload = self.random.randbytes(size)
                    self.assertEqual(publisher.publish("data/x", payload, 1), 0)
                    self.assertEqual(subscriber.messages(1)[0].payload, payload, size)
        self.assertTrue(gateway.running())

    def test_a_slow_reader_gets_everything_in_order(self):
        """Records that the socket does not take at once are offered again, and nothing is mixed up."""
        tls = self.tls(limits={"max_inflight_messages": 1000})
        gateway = self.serve(tls)
        slow = self.tls_client(tls["port"])
        slow.subscribe("data/#")
        with gateway.client("publisher") as publisher:
            for number in range(400):
                publisher.publish("data/x", number.to_bytes(4, "big") + self.random.randbytes(number * 37 % 9000), 1)
        numbers = [int.from_bytes(m.payload[:4], "big") for m in slow.messages(400)]
        self.assertEqual(numbers, list(range(400)))

    def test_paho_python_with_a_certificate_of_its_own(self):
        tls = self.tls(**self.clients_only())
        gateway = self.serve(tls)
        watch = self.client(gateway)
        watch.subscribe("#")
        device = paho.Client("paho-tls")
        here = self.folder / "certs"
        device.tls_set(here / "ca.crt", here / "sensor1.crt", here / "sensor1.key")
        device.connect("localhost", tls["port"])
        device.loop_start()
        self.addCleanup(device.loop_stop)
        self.addCleanup(device.disconnect)
        wait_for(device.is_connected, "Paho is connected")
        device.publish("paho/x", "over TLS", 1)
        self.assertEqual(watch.messages(1)[0].payload, b"over TLS")

    def test_a_device_that_does_not_know_the_ca_is_told_of_in_plain_words(self):
        tls = self.tls()
        gateway = self.serve(tls)
        self.certs(folder="others")
        done = self.pub(tls["port"], "--cafile", self.folder / "others/ca.crt")
        self.assertNotEqual(done.returncode, 0)
        gateway.wait_log(r"Client refused: .*peer=127\.0\.0\.1:\d+ "
                         r"reason=\"TLS: it does not know the CA of this listener")

    def test_a_device_without_tls_is_told_of_in_plain_words(self):
        tls = self.tls()
        gateway = self.serve(tls)
        with self.assertRaises((Closed, ConnectionError)):
            Client(tls["port"], "plain")
        gateway.wait_log(r"Client refused: .*reason=\"TLS: it does not speak TLS")

    def test_min_version_is_held(self):
        tls = self.tls(min_version="1.3")
        gateway = self.serve(tls)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.wrap(tls["port"], self.trust(version=ssl.TLSVersion.TLSv1_2))
        gateway.wait_log("its TLS version is below min_version")
        self.tls_client(tls["port"]).ping()

    def test_alpn_is_answered(self):
        tls = self.tls(alpn=["mqtt", "x-amzn-mqtt-ca"])
        gateway = self.serve(tls)
        context = self.trust()
        context.set_alpn_protocols(["other", "mqtt"])
        self.assertEqual(self.wrap(tls["port"], context).selected_alpn_protocol(), "mqtt")
        context.set_alpn_protocols(["h2"])
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.wrap(tls["port"], context)
        gateway.wait_log("none of the protocols in alpn")
        self.tls_client(tls["port"]).ping()  # asks for none


class Certificates(TlsCase):
    def test_a_certificate_is_required_where_it_is_said(self):
        tls = self.tls(**self.clients_only())
        gateway = self.serve(tls)
        with self.assertRaises((ssl.SSLError, Closed, ConnectionError)):
            self.tls_client(tls["port"])
        gateway.wait_log("it sent no certificate, and require_certificate asks for one")
        self.certs("--client", "sensor1", folder="others")
        context = self.trust()
        context.load_cert_chain(self.folder / "others/sensor1.crt", self.folder / "others/sensor1.key")
        with self.assertRaises((ssl.SSLError, Closed, ConnectionError)):
            self.tls_client(tls["port"], context)
        gateway.wait_log("its certificate is not of a CA of this listener")
        self.tls_client(tls["port"], self.trust(name="sensor1")).ping()

    def test_the_name_in_the_certificate_is_the_user(self):
        """No password, and no anonymous either: the certificate is the login."""
        tls = self.tls(anonymous=False, **self.clients_only(use_identity_as_username=True))
        gateway = self.serve(tls)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.tls_client(tls["port"], self.trust(name="sensor1", version=version), "one").ping()
            self.tls_client(tls["port"], self.trust(name="sensor2", version=version), "two", username="somebody",
                            password="wrong").ping()
        self.assertTrue(gateway.running())

    def test_a_name_is_proved_or_refused_also_where_there_are_no_users(self):
        """Seen: where certificates or keys are the only log-in and not required, a user name alone let anybody in."""
        (self.folder / "keys").write_text("sensor1:00112233\n")
        (self.folder / "keys").chmod(0o640)
        optional = {"ca_file": str(self.folder / "certs/ca.crt"), "psk_file": str(self.folder / "keys")}
        tls = self.tls(anonymous=False, use_identity_as_username=True, **optional)
        self.serve(tls)
        for password in (None, "any"):
            with self.assertRaises(Refused) as refused:
                self.tls_client(tls["port"], client_id="impostor", username="sensor1", password=password)
            self.assertEqual(refused.exception.code, 4)
        self.tls_client(tls["port"], self.trust(name="sensor1"), "sensor1").ping()

    def test_a_revoked_certificate_is_refused_from_the_moment_of_the_new_list(self):
        tls = self.tls(**self.clients_only(crl_file=str(self.folder / "certs/ca.crl")))
        gateway = self.serve(tls)
        self.tls_client(tls["port"], self.trust(name="sensor1")).ping()
        stays = self.tls_client(tls["port"], self.trust(name="sensor2"))
        self.certs("--revoke", "sensor1")
        gateway.wait_log("TLS files taken up for new connections: listener=tls")
        with self.assertRaises((ssl.SSLError, Closed, ConnectionError)):
            self.tls_client(tls["port"], self.trust(name="sensor1"))
        gateway.wait_log("its certificate is revoked")
        self.tls_client(tls["port"], self.trust(name="sensor2")).ping()
        stays.ping()

    def test_a_list_of_another_ca_is_told_of(self):
        """Seen: the CA was replaced and its list was not; the new CA was taken up in silence, and nobody came in."""
        here, others = self.folder / "certs", self.folder / "others"
        tls = self.tls(**self.clients_only(crl_file=str(here / "ca.crl")))
        self.certs("--client", "sensor1", "localhost", folder="others")
        gateway = self.serve(tls)
        self.assertNotIn("has signed it", gateway.log_text())
        (here / "ca.crt").write_bytes((others / "ca.crt").read_bytes())
        gateway.wait_log(r"warning.* key=crl_file .*certs/ca\.crl: no CA in .*certs/ca\.crt has signed it")
        gateway.wait_log("TLS files taken up for new connections: listener=tls")
        self.assertIn("certs/ca.crl: no CA in", self.check(gateway).stderr)
        (here / "ca.crl").write_bytes((others / "ca.crl").read_bytes())
        since = gateway.log_size()
        gateway.wait_log("TLS files taken up for new connections: listener=tls", since=since)
        self.assertEqual(gateway.log_text().count("has signed it"), 1)

    def serial(self, tls, context):
        return self.wrap(tls["port"], context).getpeercert()["serialNumber"]

    def test_renewed_files_are_taken_up_and_nobody_is_cut(self):
        tls = self.tls()
        gateway = self.serve(tls)
        context = self.trust()
        first = self.serial(tls, context)
        stays = self.tls_client(tls["port"], context)
        self.certs("localhost", "127.0.0.1")  # the same CA, another certificate and key
        gateway.wait_log("TLS files taken up for new connections: listener=tls")
        self.assertNotEqual(self.serial(tls, context), first)
        stays.ping()

    def test_a_bad_replacement_is_refused_and_the_old_one_kept(self):
        tls = self.tls()
        gateway = self.serve(tls)
        context = self.trust()
        first = self.serial(tls, context)
        here = self.folder / "certs"
        self.certs("localhost", folder="others")
        for what, change in {
            r"key=key_file .*server\.key is not the key of the certificate in":
                lambda: (here / "server.crt").write_bytes((self.folder / "others/server.crt").read_bytes()),
            r"key=cert_file .*server\.crt holds no certificate in PEM form":
                lambda: (here / "server.crt").write_text("half a certif"),
            r"key=cert_file cannot read .*server\.crt: No such file": (here / "server.crt").unlink,
        }.items():
            with self.subTest(what):
                since = gateway.log_size()
                change()
                gateway.wait_log(what, since=since)
                gateway.wait_log("TLS files not taken up, the old ones stay in use: listener=tls", since=since)
                self.assertEqual(self.serial(tls, context), first)
                log = gateway.reload()
                self.assertIn("Configuration not reloaded", log)
                self.assertIn("/listeners/1/tls/", log)
        self.certs("localhost")
        gateway.wait_log("TLS files taken up")
        self.assertNotEqual(self.serial(tls, context), first)

    def test_sighup_takes_renewed_files_up_at_once(self):
        tls = self.tls()
        gateway = self.serve(tls)
        context = self.trust()
        first = self.serial(tls, context)
        self.certs("localhost")
        self.assertIn("Configuration reloaded", gateway.reload())
        self.assertNotEqual(self.serial(tls, context), first)

    def test_tls_comes_and_goes_with_a_reload(self):
        plain = self.listener("other")
        gateway = self.serve(plain)
        stays = Client(plain["port"], "stays")
        self.addCleanup(stays.close)
        plain["tls"] = self.tls()["tls"]
        gateway.reload()
        self.tls_client(plain["port"]).ping()
        stays.ping()
        del plain["tls"]
        gateway.reload()
        Client(plain["port"]).disconnect()


class PreSharedKeys(TlsCase):
    def setUp(self):
        super().setUp()
        self.keys = self.folder / "psk"
        self.write_keys("meter1:0123456789abcdef0123", "meter2:ffff")

    def write_keys(self, *lines):
        self.keys.write_text("\n".join(lines) + "\n")
        self.keys.chmod(0o600)

    def psk(self, **more):
        return self.listener("psk", tls={"psk_file": str(self.keys), "psk_hint": "trial", **more})

    def test_a_key_lets_in_and_its_name_is_the_user(self):
        tls = self.psk(use_identity_as_username=True)
        tls["allow_anonymous"] = False
        gateway = self.serve(tls)
        for version in ("tlsv1.2", "tlsv1.3"):
            with self.subTest(version):
                key = ["--psk-identity", "meter1", "--psk", "0123456789abcdef0123", "--tls-version", version]
                done = self.pub(tls["port"], *key)
                self.assertEqual(done.returncode, 0, done.stderr + gateway.log_text())
                done = self.pub(tls["port"], "--psk-identity", "meter1", "--psk", "4444", "--tls-version", version)
                self.assertNotEqual(done.returncode, 0)
                gateway.wait_log(r'reason="TLS: (its pre-shared key is not the one in|its bytes cannot be decrypted)')
                done = self.pub(tls["port"], "--psk-identity", "nobody", "--psk", "4444", "--tls-version", version)
                self.assertNotEqual(done.returncode, 0)

    def test_changed_keys_are_taken_up(self):
        tls = self.psk()
        gateway = self.serve(tls)
        new = ["--psk-identity", "meter3", "--psk", "33"]
        self.assertNotEqual(self.pub(tls["port"], *new).returncode, 0)
        self.write_keys("meter3:33")
        gateway.wait_log("TLS files taken up for new connections: listener=psk")
        self.assertEqual(self.pub(tls["port"], *new).returncode, 0)
        self.write_keys("meter3")
        gateway.wait_log(r"psk: line 1: expected NAME:KEY")
        self.assertEqual(self.pub(tls["port"], *new).returncode, 0)


class Patience(TlsCase):
    def test_a_handshake_of_one_byte_a_second_disturbs_nobody(self):
        tls = self.tls()
        gateway = self.serve(tls)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        hello = self.trust().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with self.assertRaises(ssl.SSLWantReadError):
            hello.do_handshake()
        first_bytes = outgoing.read()
        slow = [socket.create_connection(("127.0.0.1", tls["port"])) for _ in range(50)]
        for each in slow:
            self.addCleanup(each.close)
        stop = threading.Event()

        def drip():
            for byte in first_bytes:
                for each in slow:
                    try:
                        each.send(bytes([byte]))
                    except OSError:
                        return
                if stop.wait(1):
                    return
        thread = threading.Thread(target=drip)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)
        device = self.tls_client(tls["port"])
        slowest = 0
        for _ in range(200):
            begin = time.monotonic()
            device.ping()
            slowest = max(slowest, time.monotonic() - begin)
        self.assertLess(slowest, 0.5 * SLOWNESS)
        self.tls_client(tls["port"]).ping()
        self.assertTrue(gateway.running())

    def test_a_handshake_has_connect_timeout_to_be_done(self):
        tls = self.tls(limits={"connect_timeout": "1s"})
        gateway = self.serve(tls)
        silent = socket.create_connection(("127.0.0.1", tls["port"]), timeout=20)
        self.addCleanup(silent.close)
        self.assertEqual(silent.recv(1), b"")
        through = self.wrap(tls["port"])  # the handshake is not enough: CONNECT has to come, too
        self.assertEqual(through.recv(1), b"")
        gateway.wait_log('reason="no CONNECT in time"')


class Checked(TlsCase):
    def says(self, listener, *words, code=3):
        gateway = self.gateway(listeners=[listener])
        done = self.check(gateway)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        for word in words:
            self.assertRegex(done.stderr, word)

    def test_check_names_what_is_wrong_with_the_files(self):
        here = self.folder / "certs"
        self.says(self.tls(cert_file=str(here / "none.crt")),
                  r"gateway\.json:\d+:\d+: error: /listeners/0/tls/cert_file: cannot read")
        self.says(self.tls(key_file=str(here / "sensor1.key")),
                  "/listeners/0/tls/key_file: .*is not the key of the certificate")
        self.says(self.tls(require_certificate=True), "/tls/require_certificate: needs ca_file or ca_path")
        self.says(self.tls(ca_file=str(here / "server.key")), "/tls/ca_file: .*holds no certificate")
        self.says(self.tls(ciphers="NONSENSE"), "/tls/ciphers: OpenSSL knows none of these")
        (here / "server.key").chmod(0o644)
        self.says(self.tls(), "/tls/key_file: .*has mode 0644: others could read or change it; run: chmod 0640")
        (here / "server.key").chmod(0o640)
        self.says(self.tls(), code=0)

    def test_an_expired_certificate_is_a_warning(self):
        here = self.certs("localhost", folder="old")
        done = self.run_program("openssl", "ca", "-batch", "-notext", "-config", "ca/openssl.cnf", "-startdate",
                                "20200101000000Z", "-enddate", "20210401000000Z", "-in", "ca/request.pem", "-out",
                                "server.crt", cwd=here)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.says(self.tls(folder="old"), "warning: /listeners/0/tls/cert_file: .*has expired on 2021-04-01", code=0)


if __name__ == "__main__":
    main()
