#!/usr/bin/python3
"""A device on Paho Python. What it does in each role: README.md of the folder above, "Devices"."""

import json
import os
import queue
import sys
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

ROLE, URL, VERSION, COUNT, QOS = [*sys.argv[1:], "100", "1"][:5]
FIVE = VERSION == "5"
TOTAL = int(COUNT)


def say(**what):
    print(json.dumps(what), flush=True)


def properties(kind, **values):
    made = Properties(kind)
    for name, value in values.items():
        setattr(made, name, value)
    return made


class Device:
    """`heard` and `told` are queues: messages, and the answers to subscriptions."""

    def __init__(self, client_id, kept=False, will=None):
        url = urlsplit(URL)
        options = {} if FIVE else {"clean_session": not kept}
        self.url = url
        self.client = client = paho.Client(client_id, protocol=int(VERSION), **options,
                                           transport="websockets" if url.scheme in ("ws", "wss") else "tcp")
        self.heard, self.told, self.answers = queue.Queue(), queue.Queue(), queue.Queue()
        client.reconnect_delay_set(1, 1)
        client.on_message = lambda *args: self.heard.put(args[2])
        client.on_subscribe = lambda *args: self.told.put(args[3])
        client.on_connect = lambda *args: self.answers.put(args[3])
        if url.scheme in ("mqtts", "wss"):
            client.tls_set(os.environ["CA_FILE"])
        if url.path:
            client.ws_set_options(url.path)
        if will:
            delayed = properties(PacketTypes.WILLMESSAGE, WillDelayInterval=1) if FIVE else None
            client.will_set(*will, properties=delayed)
        self.more = {"properties": properties(PacketTypes.CONNECT, SessionExpiryInterval=600)} if FIVE and kept else {}

    def start(self):
        self.client.connect(self.url.hostname, self.url.port, **self.more)
        self.client.loop_start()
        return self

    def subscribe(self, topic, qos):
        self.client.subscribe(topic, qos)
        granted = self.told.get()[0]
        return granted.value if FIVE else granted

    def hear(self, count):
        return [self.heard.get() for _ in range(count)]

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def connected(client_id, **options):
    device = Device(client_id, **options).start()
    code = device.answers.get()
    if code != 0:
        sys.exit(f"refused: {code}")
    return device


def echo():
    device = connected("dev-echo")
    granted = device.subscribe("dev/echo/#", 2)
    for number in range(TOTAL):
        for qos in (0, 1, 2):
            device.client.publish(f"dev/echo/{qos}", number, qos)
    heard = [[m.topic, int(m.payload), m.qos, bool(m.retain)] for m in device.hear(3 * TOTAL)]
    large = b"".join(b"%d " % number for number in range(50_000))
    device.client.publish("dev/echo/large", large, 2)
    whole = device.heard.get().payload == large
    device.client.publish("dev/kept", "kept", 1, retain=True).wait_for_publish()
    device.subscribe("dev/kept", 1)
    kept = device.heard.get()
    say(granted=granted, heard=heard, large=whole, retained=[kept.topic, kept.payload.decode(), bool(kept.retain)])
    device.close()


def publish():
    device = connected("dev-publisher", kept=True)
    # wait_for_publish() raises for what was published while there was no connection, though it is sent later.
    done = queue.Queue()
    device.client.on_publish = lambda *args: done.put(args[2])
    for number in range(TOTAL + 20):
        if number < TOTAL:
            device.client.publish("dev/data", number, int(QOS))
        if number >= 20:
            done.get()
            if (number - 19) % 50 == 0:
                say(acknowledged=number - 19)
    device.close()


def stay():
    device = Device("dev-stay", kept=True, will=("dev/will", "gone", 1))

    def greet(client, _data, flags, *_):
        say(connected=bool(flags["session present"]))
        if not flags["session present"]:
            client.subscribe("dev/stay/#", 2)
    device.client.on_connect = greet
    device.client.on_subscribe = lambda *args: say(subscribed=args[3][0].value if FIVE else args[3][0])
    device.client.on_message = lambda *args: say(heard=[args[2].topic, args[2].payload.decode(), args[2].qos])
    device.start().client._thread.join()


def seen(message):
    got = message.properties
    return {"payload": message.payload.decode(), "correlation": got.CorrelationData.hex(),
            "user": [list(pair) for pair in got.UserProperty], "content_type": got.ContentType,
            "utf8": bool(got.PayloadFormatIndicator), "expires": hasattr(got, "MessageExpiryInterval")}


def ask():
    service, asker = connected("dev-service"), connected("dev-asker")
    service.subscribe("dev/service", 1)
    asker.subscribe("dev/answers", 1)
    wanted = {"CorrelationData": bytes.fromhex("0001feff"), "UserProperty": ("unit", "°C"), "ContentType": "text/plain",
              "PayloadFormatIndicator": 1, "MessageExpiryInterval": 60}
    asker.client.publish("dev/service", "how warm?", 1,
                         properties=properties(PacketTypes.PUBLISH, ResponseTopic="dev/answers", **wanted))
    request = service.heard.get()
    answer = Properties(PacketTypes.PUBLISH)
    for name in wanted:
        setattr(answer, name, getattr(request.properties, name))
    service.client.publish(request.properties.ResponseTopic, request.payload.upper(), 1, properties=answer)
    say(asked=seen(request), answered=seen(asker.heard.get()))
    service.close()
    asker.close()


{"echo": echo, "publish": publish, "stay": stay, "ask": ask}[ROLE]()
