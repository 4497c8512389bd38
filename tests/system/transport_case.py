"""What tests of transports share: a plain listener beside the one that is tested, certificates, clients over TLS."""

import socket
import ssl

from raw_mqtt import Client
from support import HERE, TIDEGATE, Case, free_port

CERTS = HERE.parents[1] / "scripts/certs"


class TransportCase(Case):
    def listener(self, name="lan", **more):
        return {"name": name, "bind": "127.0.0.1", "port": free_port(), "allow_anonymous": True, **more}

    def serve(self, *listeners, **more):
        """The plain one first: the gateway is known to listen by it."""
        gateway = self.gateway(listeners=[self.listener(), *listeners], **more)
        return gateway.start()

    def certificate(self, folder="certs"):
        """The gateway's, as the configuration names it."""
        here = self.folder / folder
        return {"cert_file": str(here / "server.crt"), "key_file": str(here / "server.key")}

    def serve_every_way(self, **more):
        """A gateway with a listener of each kind; clients trust certs/ca.crt, or have the key 0123abcd of `meter1`."""
        self.certs("localhost", "127.0.0.1")
        keys = self.folder / "psk"
        keys.write_text("meter1:0123abcd\n")
        keys.chmod(0o600)
        tls = self.certificate()
        return self.serve(
            self.listener("tls", tls=tls),
            self.listener("ws", transport="websocket"),
            self.listener("wss", transport="websocket", tls=tls),
            self.listener("psk", tls={"psk_file": str(keys), "psk_hint": "trial"}),
            {"name": "unix", "transport": "unix", "path": str(self.folder / "mqtt.sock"), "allow_anonymous": True},
            **more)

    def way(self, gateway, name):
        """The listener of that name."""
        return next(each for each in gateway.config["listeners"] if each["name"] == name)

    def url(self, gateway, name):
        port = self.way(gateway, name)["port"]
        return {"lan": f"mqtt://localhost:{port}", "tls": f"mqtts://localhost:{port}"}.get(
            name, f"{name}://localhost:{port}/mqtt")

    def certs(self, *options, folder="certs"):
        made = self.run_program(CERTS, "--dir", self.folder / folder, *options)
        self.assertEqual(made.returncode, 0, made.stderr)
        return self.folder / folder

    def trust(self, folder="certs", name=None, version=None):
        """What a device knows: the CA, and its own certificate if it has one."""
        context = ssl.create_default_context(cafile=self.folder / folder / "ca.crt")
        if name:
            context.load_cert_chain(self.folder / folder / f"{name}.crt", self.folder / folder / f"{name}.key")
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def wrap(self, port, context=None, host="localhost"):
        plain = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.addCleanup(plain.close)
        wrapped = (context or self.trust()).wrap_socket(plain, server_hostname=host)
        self.addCleanup(wrapped.close)
        return wrapped

    def tls_client(self, port, context=None, client_id="", **options):
        client = Client(0, client_id, stream=self.wrap(port, context), **options)
        self.addCleanup(client.close)
        return client

    def check(self, gateway):
        gateway.write()
        return self.run_program(TIDEGATE, "check", gateway.file)
