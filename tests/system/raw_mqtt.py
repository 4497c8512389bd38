"""A small MQTT client on a blocking socket, for what real clients do not show: every byte is in the test's hands.

Shares no code with the gateway. 3.1.1 (level 4) and 5.0 (level 5). One thread.
"""

import socket
import struct
import time
from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(8, 15)


class Closed(Exception):
    """The gateway closed the connection."""


class Refused(Exception):
    """CONNACK with a code; `code` is it."""

    def __init__(self, code):
        super().__init__(f"refused with {code:#04x}")
        self.code = code


@dataclass
class Packet:
    kind: int
    flags: int
    body: bytes


@dataclass
class Message:
    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int = field(default=0, compare=False)


def varint(value):
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def read_varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(data)) + data


def packet(kind, flags, body):
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def connect_packet(client_id="", level=4, clean=True, keepalive=60, will=None, username=None, password=None,
                   expiry=None, private=False):
    """`will` is a Message; `private` sets the bit that Mosquitto's bridges set."""
    flags = 0x02 if clean else 0
    body = text("MQTT") + bytes([level | (0x80 if private else 0)])
    if will:
        flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
    flags |= (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    body += bytes([flags]) + struct.pack(">H", keepalive)
    if level == 5:
        properties = b"" if expiry is None else b"\x11" + struct.pack(">I", expiry)
        body += varint(len(properties)) + properties
    body += text(client_id)
    if will:
        body += (b"\0" if level == 5 else b"") + text(will.topic) + text(will.payload)
    for value in (username, password):
        if value is not None:
            body += text(value)
    return packet(CONNECT, 0, body)


class Client:
    """Connects at once unless told otherwise. Keeps what arrives in `inbox`, and acknowledges it if `acknowledges`."""

    def __init__(self, port, client_id="", level=4, host="127.0.0.1", connect=True, timeout=20, acknowledges=True,
                 stream=None, **options):
        self.level = level
        self.timeout = timeout
        self.acknowledges = acknowledges
        self.inbox = []
        self.acks = {}  # packet id -> reason code, of PUBACK and PUBCOMP
        self.session_present = False
        self._next_id = 0
        self._buffer = b""
        self.socket = stream or socket.create_connection((host, port), timeout=timeout)
        if self.socket.family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if connect:
            try:
                self.connect(client_id, **options)
            except BaseException:
                self.close()
                raise

    @classmethod
    def serve(cls, stream, session_present=False, **options):
        """The broker's end of an accepted connection, up to and with CONNACK. 3.1.1 and 5.0, as the peer asks."""
        end = cls(0, stream=stream, connect=False, **options)
        end.accept(session_present)
        return end

    def accept(self, session_present=False):
        connect = self.receive()
        assert connect.kind == CONNECT, connect
        self.level = connect.body[6] & 0x7F
        self.send(packet(CONNACK, 0, bytes([session_present, 0]) + (b"\0" if self.level == 5 else b"")))

    def grant(self, subscribe):
        """Answers a SUBSCRIBE with QoS 1 for each filter."""
        body = subscribe.body
        at = 2
        if self.level == 5:
            length, at = read_varint(body, at)
            at += length
        filters = 0
        while at < len(body):
            at += struct.unpack(">H", body[at:at + 2])[0] + 3
            filters += 1
        self.send(packet(SUBACK, 0, body[:2] + (b"\0" if self.level == 5 else b"") + b"\1" * filters))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def connect(self, client_id="", **options):
        self.send(connect_packet(client_id, self.level, **options))
        connack = self.receive()
        assert connack.kind == CONNACK, connack
        if connack.body[1]:
            raise Refused(connack.body[1])
        self.session_present = bool(connack.body[0] & 1)

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, timeout=None):
        """The next packet. TimeoutError when there is none, Closed at the end."""
        end = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            found = self._parse()
            if found:
                return found
            self.socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionError as error:
                raise Closed(str(error)) from error
            if not data:
                raise Closed("end of stream")
            self._buffer += data

    def _parse(self):
        buffer = self._buffer
        for size in range(2, min(len(buffer), 5) + 1):
            if buffer[size - 1] & 0x80:
                continue
            length, at = read_varint(buffer, 1)
            if len(buffer) < at + length:
                return None
            self._buffer = buffer[at + length:]
            return Packet(buffer[0] >> 4, buffer[0] & 15, buffer[at:at + length])
        return None

    def next_id(self):
        self._next_id = self._next_id % 65535 + 1
        return self._next_id

    def handle(self, received):
        """Files a packet away: messages into `inbox`, acknowledgements into `acks`."""
        if received.kind == PUBLISH:
            message = self.parse_publish(received)
            self.inbox.append(message)
            if self.acknowledges and message.qos:
                self.acknowledge(message)
        elif received.kind == PUBREL:
            self.send(packet(PUBCOMP, 0, received.body[:2]))
        elif received.kind in (PUBACK, PUBREC, PUBCOMP):
            packet_id = struct.unpack(">H", received.body[:2])[0]
            code = received.body[2] if len(received.body) > 2 else 0
            if received.kind == PUBREC and code < 0x80:
                self.send(packet(PUBREL, 2, received.body[:2]))
            else:
                self.acks[packet_id] = code
        return received

    def acknowledge(self, message):
        self.send(packet(PUBACK if message.qos == 1 else PUBREC, 0, struct.pack(">H", message.packet_id)))

    def parse_publish(self, received):
        body = received.body
        length = struct.unpack(">H", body[:2])[0]
        topic, at = body[2:2 + length].decode(), 2 + length
        qos, packet_id = received.flags >> 1 & 3, 0
        if qos:
            packet_id, at = struct.unpack(">H", body[at:at + 2])[0], at + 2
        if self.level == 5:
            properties, at = read_varint(body, at)
            at += properties
        return Message(topic, body[at:], qos, bool(received.flags & 1), bool(received.flags & 8), packet_id)

    def until(self, condition, timeout=None):
        """Reads and files away until `condition()`; True, or False when the time is over."""
        end = time.monotonic() + (self.timeout if timeout is None else timeout)
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                return False
            try:
                self.handle(self.receive(left))
            except TimeoutError:
                return bool(condition())
        return True

    def await_kind(self, kind, timeout=None):
        end = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            received = self.handle(self.receive(end - time.monotonic()))
            if received.kind == kind:
                return received

    def subscribe(self, *filters, qos=1):
        body = struct.pack(">H", self.next_id()) + (b"\0" if self.level == 5 else b"")
        for each in filters:
            body += text(each) + bytes([qos])
        self.send(packet(SUBSCRIBE, 2, body))
        return list(self.await_kind(SUBACK).body[-len(filters):])

    def publish_bytes(self, topic, payload, qos=0, retain=False, dup=False):
        packet_id = self.next_id() if qos else 0
        body = text(topic) + (struct.pack(">H", packet_id) if qos else b"") + (b"\0" if self.level == 5 else b"")
        body += payload.encode() if isinstance(payload, str) else payload
        return packet_id, packet(PUBLISH, (8 if dup else 0) | qos << 1 | (1 if retain else 0), body)

    def publish(self, topic, payload, qos=0, retain=False, wait=True, timeout=None):
        """With QoS 1 and 2 the reason code of the acknowledgement; the packet id without `wait`."""
        packet_id, data = self.publish_bytes(topic, payload, qos, retain)
        self.send(data)
        if not qos or not wait:
            return packet_id
        if not self.until(lambda: packet_id in self.acks, timeout):
            raise TimeoutError(f"no acknowledgement for {topic}")
        return self.acks.pop(packet_id)

    def ping(self):
        self.send(packet(PINGREQ, 0, b""))
        self.await_kind(PINGRESP)

    def messages(self, count, timeout=None):
        """The next `count` messages; fewer when the time is over."""
        self.until(lambda: len(self.inbox) >= count, timeout)
        taken, self.inbox = self.inbox[:count], self.inbox[count:]
        return taken

    def disconnect(self):
        self.send(packet(DISCONNECT, 0, b""))
        self.close()
