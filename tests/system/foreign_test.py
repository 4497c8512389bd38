#!/usr/bin/python3
"""Other brokers' bridges come in: a Mosquitto of the field that bridges into Tidegate is served like any device.

The pain: moving the broker in the middle means touching every broker around it; the private bit of Mosquitto's bridges
(protocol level 0x84) is refused; with direction `both` every message comes back.
"""

from raw_mqtt import CONNACK, Client, Message, connect_packet
from support import Case, bridge, main, rule

NAME = "field"


class MosquittoBridgesIn(Case):
    def field(self, gateway, *topics, lines=()):
        """A Mosquitto with a bridge to the gateway, connected."""
        field = self.mosquitto([f"connection {NAME}", f"address 127.0.0.1:{gateway.port}", "restart_timeout 1",
                                "cleansession false", f"remote_clientid {NAME}", *(f"topic {t}" for t in topics),
                                *lines], name="field")
        since = gateway.log_size()
        field.start()
        gateway.wait_log(rf'Client connected: client_id="{NAME}"', 20, since)
        field.wait_log("Received SUBACK")
        return field

    def check_both_ways(self, **options):
        lines = [f"{key} {value}" for key, value in options.items()]
        gateway = self.gateway().start()
        field = self.field(gateway, "up/# out 1", "down/# in 1", "both/# both 1", 'n/# out 2 "" site/', lines=lines)
        with field.client("sensor") as sensor, gateway.client("scada") as scada:
            sensor.subscribe("#")
            scada.subscribe("#")
            sensor.publish("up/1", "up", 1)
            sensor.publish("n/1", "renamed", 2)
            self.assertEqual(scada.messages(2), [Message("up/1", b"up", 1), Message("site/n/1", b"renamed", 1)])
            scada.publish("down/1", "down", 1)
            sensor.until(lambda: any(m.topic == "down/1" for m in sensor.inbox))
            sensor.inbox.clear()
            scada.messages(1)
            for number in range(20):
                sensor.publish(f"both/f{number}", "from the field", 1)
                scada.publish(f"both/s{number}", "from here", 1)
            # Two turns through both brokers come after whatever went round before them.
            for turn in range(2):
                sensor.publish("up/mark", str(turn), 1)
                scada.until(lambda: scada.inbox and scada.inbox[-1].topic == "up/mark")
                scada.publish("down/mark", str(turn), 1)
                sensor.until(lambda: sensor.inbox and sensor.inbox[-1].topic == "down/mark")
            for client in (sensor, scada):
                heard = [m.topic for m in client.inbox if m.topic.startswith("both/")]
                self.assertEqual(len(heard), 40, heard)
                self.assertEqual(len(set(heard)), 40)
        return gateway, field

    def test_3_1_1_with_the_private_bit(self):
        """try_private is Mosquitto's default: protocol level 0x84, and the bridge's own messages do not come back."""
        self.check_both_ways(try_private="true", bridge_protocol_version="mqttv311")

    def test_5_0(self):
        self.check_both_ways(bridge_protocol_version="mqttv50")

    def test_the_private_bit_is_taken_at_the_first_try(self):
        gateway = self.gateway().start()
        with Client(gateway.port, connect=False) as client:
            client.send(connect_packet("b", 4, private=True))
            answer = client.receive()
            self.assertEqual((answer.kind, answer.body), (CONNACK, b"\0\0"))
            client.subscribe("a")
            client.publish("a", "own", 1)
            client.ping()
            self.assertEqual(client.inbox, [], "a bridge does not get its own messages back")

    def test_its_state_is_told_by_its_notifications(self):
        gateway = self.gateway().start()
        field = self.field(gateway, "up/# out 1", "down/# in 1")
        with gateway.client("watch") as watch:
            watch.subscribe(f"$SYS/broker/connection/{NAME}/state")
            self.assertEqual(watch.messages(1)[0].payload, b"1")
            field.kill()
            self.assertEqual(watch.messages(1)[0].payload, b"0")

    # A server that is a client as well [MQTT-7.0.0-1 of 3.1.1].
    def test_what_the_field_sends_goes_on_to_the_cloud(self):
        """Mosquitto in the field, Tidegate at the edge, Mosquitto as the cloud; the one in the middle is killed."""
        cloud = self.mosquitto(name="cloud").start()
        gateway = self.gateway(bridge(cloud.port, [rule("up/#", remote_prefix="plant/"),
                                                   rule("down/#", "in", remote_prefix="plant/")])).start()
        cloud.wait_log(r"Sending SUBACK to gw\.cloud")
        field = self.field(gateway, "up/# out 1", "down/# in 1")
        with field.client("sensor") as sensor, cloud.client("office") as office:
            office.subscribe("plant/up/#")
            sensor.subscribe("down/#")
            sensor.publish("up/1", "1", 1)
            self.assertEqual(office.messages(1), [Message("plant/up/1", b"1", 1)])
            office.publish("plant/down/1", "2", 1)
            self.assertEqual(sensor.messages(1), [Message("down/1", b"2", 1)])
            gateway.kill()
            for number in range(2, 52):
                sensor.publish(f"up/{number}", str(number), 1)
            gateway.start()
            # The first one may come again: its removal was not on disk yet.
            office.until(lambda: any(m.topic == "plant/up/51" for m in office.inbox), 40)
            got = list(dict.fromkeys(m.topic for m in office.inbox if m.topic != "plant/up/1"))
            self.assertEqual(got, [f"plant/up/{number}" for number in range(2, 52)])


if __name__ == "__main__":
    main()
