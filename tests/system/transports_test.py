#!/usr/bin/python3
"""Devices come in over WebSocket, programs over Unix sockets, and everybody through proxies.

The pain: a WebSocket that takes a frame for a packet, a socket file that is in the way after a crash, and a log that
knows the proxy's address alone.
"""

import os
import socket
import stat
import struct
import urllib.error
import urllib.request
from pathlib import Path

from raw_mqtt import Client, Closed, connect_packet
from support import main
from transport_case import TransportCase


class UnixSockets(TransportCase):
    def unix(self, **more):
        return {"name": "unix", "transport": "unix", "path": str(self.folder / "mqtt.sock"), "allow_anonymous": True,
                **more}

    def dial(self, listener, **options):
        stream = socket.socket(socket.AF_UNIX)
        self.addCleanup(stream.close)
        stream.connect(listener["path"])
        return Client(0, stream=stream, **options)

    def test_programs_connect_by_the_file(self):
        unix = self.unix(mode="0640")
        gateway = self.serve(unix)
        path = Path(unix["path"])
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
        watch = self.client(gateway)
        watch.subscribe("#")
        done = self.run_program("mosquitto_pub", "--unix", path, "-t", "a", "-m", "by file", "-q", 1)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(watch.messages(1)[0].payload, b"by file")
        gateway.wait_log(rf"Client connected: .*peer=unix:uid={os.getuid()},pid=\d+")
        gateway.terminate()
        self.assertFalse(path.exists(), "removed at the end")

    def test_the_file_of_a_gateway_that_died_is_replaced(self):
        unix = self.unix()
        gateway = self.serve(unix)
        gateway.kill()
        self.assertTrue(Path(unix["path"]).exists())
        gateway.start()
        self.dial(unix).ping()

    def test_a_file_that_is_in_use_or_no_socket_is_not_touched(self):
        unix = self.unix()
        gateway = self.serve(unix)
        second = self.gateway(listeners=[unix], name="second", store={"path": str(self.folder / "second-store")})
        second.write()
        second.spawn()
        self.assertEqual(second.wait(), 1)
        self.assertIn("is served by another program", second.log_text())
        self.dial(unix).ping()
        gateway.terminate()
        Path(unix["path"]).write_text("a letter")
        second.spawn()
        self.assertEqual(second.wait(), 1)
        self.assertIn("is there already, and is no socket", second.log_text())
        self.assertEqual(Path(unix["path"]).read_text(), "a letter")

    def test_a_port_on_the_command_line_is_not_ignored(self):
        gateway = self.gateway(listeners=[self.unix()], options=["-p", "1884"])
        gateway.write()
        gateway.spawn()
        self.assertEqual(gateway.wait(), 3)
        self.assertIn("-p has no effect", gateway.log_text())

    def test_an_owner_that_is_not_on_this_box_is_named(self):
        gateway = self.gateway(listeners=[self.unix(owner="nobody-of-that-name")])
        gateway.write()
        gateway.spawn()
        self.assertEqual(gateway.wait(), 1)
        self.assertIn('there is no owner "nobody-of-that-name"', gateway.log_text())

    def test_it_comes_and_goes_with_a_reload(self):
        unix = self.unix()
        gateway = self.serve()
        gateway.config["listeners"].append(unix)
        gateway.reload()
        stays = self.dial(unix)
        unix["mode"] = "0600"
        gateway.reload()
        self.assertEqual(stat.S_IMODE(Path(unix["path"]).stat().st_mode), 0o600)
        self.dial(unix).ping()
        gateway.config["listeners"].remove(unix)
        gateway.reload()
        self.assertFalse(Path(unix["path"]).exists())
        stays.ping()


class Proxies(TransportCase):
    V2 = b"\r\n\r\n\0\r\nQUIT\n"

    def proxied(self, **more):
        return self.listener("proxied", proxy_protocol=True, **{"trusted_proxies": ["127.0.0.0/8"], **more})

    def dial(self, listener, header, client_id, pieces=False):
        stream = socket.create_connection(("127.0.0.1", listener["port"]), timeout=20)
        self.addCleanup(stream.close)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in header if pieces else []:
            stream.sendall(bytes([byte]))
        client = Client(0, stream=stream, connect=False)
        client.send((b"" if pieces else header) + connect_packet(client_id))  # at once
        return client

    def test_the_clients_address_is_in_the_log(self):
        proxied = self.proxied()
        gateway = self.serve(proxied)
        v6 = socket.inet_pton(socket.AF_INET6, "2001:db8::9") * 2 + struct.pack(">HH", 700, 1883)
        for name, header, address in (
                ("line", b"PROXY TCP4 192.168.1.7 10.0.0.1 49152 1883\r\n", "192.168.1.7:49152"),
                ("binary", self.V2 + b"\x21\x21" + struct.pack(">H", len(v6)) + v6, r"\[2001:db8::9\]:700"),
                ("itself", self.V2 + b"\x20\x00\x00\x00", r"127\.0\.0\.1:\d+")):
            for pieces in (False, True):
                with self.subTest(name, pieces=pieces):
                    client = self.dial(proxied, header, f"{name}{pieces}", pieces)
                    self.assertEqual(client.receive().body[1], 0)
                    client.ping()
                    gateway.wait_log(f'Client connected: client_id="{name}{pieces}" peer={address} ')

    def test_without_a_header_nobody_comes_in(self):
        proxied = self.proxied()
        gateway = self.serve(proxied)
        with self.assertRaises((Closed, ConnectionError)):
            Client(proxied["port"], "bare")
        gateway.wait_log("Client refused: .*no PROXY header before its bytes")

    def test_from_elsewhere_nobody_comes_in(self):
        proxied = self.proxied(trusted_proxies=["10.0.0.0/8", "::1"])
        gateway = self.serve(proxied)
        with self.assertRaises((Closed, ConnectionError)):
            self.dial(proxied, b"PROXY TCP4 1.2.3.4 10.0.0.1 1 1883\r\n", "liar").receive()
        gateway.wait_log("Client refused: .*not one of this listener's trusted_proxies")

    def test_tls_follows_the_header(self):
        self.certs("localhost")
        proxied = self.proxied(tls=self.certificate())
        gateway = self.serve(proxied)
        plain = socket.create_connection(("127.0.0.1", proxied["port"]), timeout=20)
        self.addCleanup(plain.close)
        plain.sendall(b"PROXY TCP4 192.168.1.8 10.0.0.1 2 8883\r\n")
        client = Client(0, "behind", stream=self.trust().wrap_socket(plain, server_hostname="localhost"))
        client.ping()
        gateway.wait_log('client_id="behind" peer=192.168.1.8:2 ')


class WsStream:
    """A client's end of a WebSocket, frame by frame; for raw_mqtt.Client it is a stream like another."""

    family = socket.AF_UNIX  # no options of TCP

    def __init__(self, stream, target="/mqtt", headers=(), protocol="mqtt"):
        self.stream = stream
        self.payload = b""
        self.controls = []  # (opcode, payload) of pongs and closes
        self._wire = b""
        fields = ["Host: gw", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers]
        if protocol:
            fields.append(f"Sec-WebSocket-Protocol: {protocol}")
        stream.sendall("\r\n".join([f"GET {target} HTTP/1.1", *fields, "", ""]).encode())
        while b"\r\n\r\n" not in self._wire:
            data = stream.recv(4096)
            if not data:
                break
            self._wire += data
        head, _, self._wire = self._wire.partition(b"\r\n\r\n")
        self.answer = head.decode()

    def frame(self, payload, opcode=2, final=True):
        length = len(payload)
        size = (bytes([0x80 | length]) if length < 126 else b"\xfe" + struct.pack(">H", length) if length < 65536
                else b"\xff" + struct.pack(">Q", length))
        mask = os.urandom(4)
        data = int.from_bytes(payload, "big") ^ int.from_bytes((mask * (length // 4 + 1))[:length], "big")
        return bytes([(0x80 if final else 0) | opcode]) + size + mask + data.to_bytes(length, "big")

    def sendall(self, payload):
        self.stream.sendall(self.frame(payload))

    def settimeout(self, seconds):
        self.stream.settimeout(seconds)

    def close(self):
        self.stream.close()

    def recv(self, _):
        while not self.payload:
            if not self._take_frame():
                data = self.stream.recv(65536)
                if not data:
                    return b""
                self._wire += data
        taken, self.payload = self.payload, b""
        return taken

    def _take_frame(self):
        wire = self._wire
        if len(wire) < 2:
            return False
        length, at = wire[1] & 0x7F, 2
        if length > 125:
            at = 4 if length == 126 else 10
            length = int.from_bytes(wire[2:at], "big")
        if len(wire) < at + length:
            return False
        if wire[0] & 15 == 2:
            self.payload += wire[at:at + length]
        else:
            self.controls.append((wire[0] & 15, wire[at:at + length]))
        self._wire = wire[at + length:]
        return True

    def close_code(self):
        """Reads to the end; the code of the close frame."""
        while self.recv(1):
            pass
        closes = [payload for opcode, payload in self.controls if opcode == 8]
        return struct.unpack(">H", closes[0][:2])[0] if closes and len(closes[0]) >= 2 else None


class WebSockets(TransportCase):
    def websocket(self, **more):
        return self.listener("ws", transport="websocket", **more)

    def dial(self, listener, **options):
        stream = socket.create_connection(("127.0.0.1", listener["port"]), timeout=20)
        self.addCleanup(stream.close)
        return WsStream(stream, **options)

    def ws_client(self, listener, client_id="", **options):
        return Client(0, client_id, stream=self.dial(listener), **options)

    def test_packets_in_pieces_and_several_in_a_frame(self):
        """[MQTT-6.0.0-2]: where a frame ends means nothing."""
        listener = self.websocket()
        self.serve(listener)
        ws = self.dial(listener)
        client = Client(0, stream=ws, connect=False)
        packet = connect_packet("pieces")
        for byte in packet[:-1]:
            ws.stream.sendall(ws.frame(bytes([byte])))
        ws.stream.sendall(ws.frame(packet[-1:]))
        self.assertEqual(client.receive().body[1], 0)
        client.subscribe("a/#")
        data = b"".join(client.publish_bytes("a/x", str(number), 1)[1] for number in range(100))
        ws.stream.sendall(ws.frame(data[:7], final=False) + ws.frame(b"here?", opcode=9)
                          + ws.frame(data[7:300], opcode=0, final=False) + ws.frame(b"", opcode=0, final=False)
                          + ws.frame(data[300:], opcode=0))
        self.assertEqual([m.payload for m in client.messages(100)], [str(n).encode() for n in range(100)])
        self.assertEqual(ws.controls, [(10, b"here?")])

    def test_a_slow_reader_gets_everything_in_order(self):
        listener = self.websocket(limits={"max_inflight_messages": 1000})
        gateway = self.serve(listener)
        slow = self.ws_client(listener)
        slow.subscribe("data/#")
        with gateway.client("publisher") as publisher:
            for number in range(400):
                publisher.publish("data/x", number.to_bytes(4, "big") + bytes(number * 37 % 9000), 1)
        got = slow.messages(400)
        self.assertEqual([int.from_bytes(m.payload[:4], "big") for m in got], list(range(400)))
        self.assertEqual([len(m.payload) - 4 for m in got], [n * 37 % 9000 for n in range(400)])

    def test_close_codes_are_right(self):
        listener = self.websocket()
        self.serve(listener)
        for what, wire, code in (
                ("text", lambda ws: ws.frame(b"text", opcode=1), 1003),
                ("no mask", lambda ws: b"\x82\x01x", 1002),
                ("reserved bits", lambda ws: bytes([0xC2]) + ws.frame(b"x")[1:], 1002),
                ("too large", lambda ws: b"\x82\xff" + struct.pack(">Q", 1 << 40) + b"mask", 1009),
                ("the peer's own", lambda ws: ws.frame(struct.pack(">H", 1001), opcode=8), 1001)):
            with self.subTest(what):
                ws = self.dial(listener)
                ws.stream.sendall(wire(ws))
                self.assertEqual(ws.close_code(), code)
        client = self.ws_client(listener)
        client.send(b"\xe0\x00")  # DISCONNECT
        self.assertEqual(client.socket.close_code(), 1000)

    def test_going_away_is_said_at_the_end(self):
        listener = self.websocket()
        gateway = self.serve(listener)
        client = self.ws_client(listener)
        gateway.terminate()
        self.assertEqual(client.socket.close_code(), 1001)

    def status(self, listener, **options):
        return self.dial(listener, **options).answer.split()[1]

    def test_the_upgrade_is_checked(self):
        listener = self.websocket(origins=["https://plant7.example"])
        gateway = self.serve(listener)
        self.assertIn("Sec-WebSocket-Protocol: mqttv3.1", self.dial(listener, protocol="x, mqttv3.1").answer)
        self.assertIn("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", self.dial(listener, target="/").answer)
        self.assertEqual(self.status(listener, protocol="chat"), "400")
        self.assertEqual(self.status(listener, target="/else"), "404")
        self.assertEqual(self.status(listener, headers=["Origin: https://evil.example"]), "403")
        self.assertEqual(self.status(listener, headers=["Origin: https://plant7.example"]), "101")
        self.assertEqual(self.status(listener, headers=["X: " + "x" * 10_000]), "431")
        gateway.wait_log(r'Client refused: .*reason="WebSocket: pages of this origin may not use it')

    def test_a_browser_that_looks_in_gets_a_sentence(self):
        listener = self.websocket()
        self.serve(listener)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{listener['port']}/", timeout=20)
        self.assertEqual(caught.exception.code, 426)
        self.assertIn(b"This is an MQTT listener for WebSocket", caught.exception.read())

    def test_a_device_without_websocket_is_told_of(self):
        listener = self.websocket()
        gateway = self.serve(listener)
        plain = socket.create_connection(("127.0.0.1", listener["port"]), timeout=20)
        self.addCleanup(plain.close)
        plain.sendall(connect_packet("plain") + b"\r\n\r\n")
        self.assertIn(b"400", plain.recv(100))
        gateway.wait_log("the request is no HTTP")

    def test_http_and_tls_on_a_plain_port_are_told_of(self):
        """Long before connect_timeout."""
        gateway = self.serve(limits={"connect_timeout": "5m"})
        for first, words in {b"GET / HTTP/1.1\r\nHost: gw\r\n\r\n": "HTTP on an MQTT port",
                             b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03": "TLS on a port without TLS"}.items():
            with self.subTest(words):
                wrong = socket.create_connection(("127.0.0.1", gateway.port), timeout=20)
                self.addCleanup(wrong.close)
                wrong.sendall(first)
                self.assertEqual(wrong.recv(1), b"")
                gateway.wait_log(words)

    def test_a_request_of_a_byte_at_a_time_has_connect_timeout(self):
        listener = self.websocket(limits={"connect_timeout": "1s"})
        gateway = self.serve(listener)
        slow = socket.create_connection(("127.0.0.1", listener["port"]), timeout=20)
        self.addCleanup(slow.close)
        slow.sendall(b"GET / HTTP/1.1\r\nHost: ")
        self.assertEqual(slow.recv(1), b"")
        gateway.wait_log('reason="no CONNECT in time"')


if __name__ == "__main__":
    main()
