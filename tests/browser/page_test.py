#!/usr/bin/python3
"""A page in a browser talks to the gateway over wss, with MQTT.js as pages load it.

The pain: a WebSocket listener that scripts can use and browsers cannot, for its certificate, its subprotocol or the
origin of the page.
"""

import shutil
import sys
import unittest
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from browser import Browser, PageServer  # noqa: E402
from support import free_port, main, need_npm_packages  # noqa: E402
from transport_case import TransportCase  # noqa: E402


@unittest.skipUnless(shutil.which("chromium") and shutil.which("certutil"), "needs chromium and certutil")
class Pages(TransportCase):
    @classmethod
    def setUpClass(cls):
        need_npm_packages()

    def setUp(self):
        super().setUp()
        self.certs("localhost", "127.0.0.1")
        self.page_port = free_port()
        self.wss = self.listener("wss", transport="websocket", tls=self.certificate(),
                                 origins=[f"https://localhost:{self.page_port}", f"http://localhost:{self.page_port}"])
        self.served = self.serve(self.wss)

    def serve_page(self, certificate):
        server = PageServer(self.page_port, certificate)
        self.addCleanup(server.close)

    def browser(self, ca="certs/ca.crt"):
        made = Browser(self.folder / "home", ca and self.folder / ca)
        self.addCleanup(made.close)
        return made

    def open(self, browser, origin="https://localhost", version=4):
        query = urlencode({"url": f"wss://localhost:{self.wss['port']}/mqtt", "version": version})
        browser.call("goto", f"{origin}:{self.page_port}/page.html?{query}")

    def test_a_page_publishes_and_hears(self):
        self.serve_page(self.certificate())
        browser = self.browser()
        station = self.client(self.served)
        station.publish("page/kept", "from before", qos=1, retain=True)
        station.subscribe("page/said", qos=2)
        for version in (4, 5):
            with self.subTest(version=version):
                self.open(browser, version=version)
                browser.wait_text("#state", "connected")
                for qos in ("0", "1", "2"):
                    browser.call("fill", "#text", f"grüße {qos}")
                    browser.call("selectOption", "#qos", qos)
                    browser.call("click", "button")
                    said = station.messages(1)[0]
                    self.assertEqual((said.payload.decode(), said.qos), (f"grüße {qos}", int(qos)))
                    browser.texts("#heard li", int(qos) + 2)
                station.publish("page/lan", "from the LAN", qos=2)
                self.assertEqual(browser.texts("#heard li", 5), [
                    "page/kept: from before (QoS 1, retained)",
                    "page/said: grüße 0 (QoS 0)", "page/said: grüße 1 (QoS 1)", "page/said: grüße 2 (QoS 2)",
                    "page/lan: from the LAN (QoS 2)"])

    def test_a_page_comes_back_after_a_restart_and_its_end_is_told_of(self):
        self.serve_page(self.certificate())
        browser = self.browser()
        self.open(browser)
        browser.wait_text("#state", "connected")
        self.served.kill()
        browser.wait_text("#state", "closed")
        self.served.start()
        browser.wait_text("#state", "connected")
        station = self.client(self.served)
        station.publish("page/lan", "again", qos=1)
        self.assertEqual(browser.texts("#heard li", 1), ["page/lan: again (QoS 1)"])
        station.subscribe("page/will")
        browser.call("close")
        self.assertEqual(station.messages(1)[0].payload, b"the page is gone")

    def test_a_page_of_a_foreign_origin_is_refused(self):
        self.serve_page(self.certificate())
        browser = self.browser()
        self.open(browser, origin="https://127.0.0.1")
        self.served.wait_log('Client refused: .*reason="WebSocket: pages of this origin may not use it')
        browser.wait_text("#state", "closed")
        self.assertNotIn("Client connected", self.served.log_text())

    def test_a_browser_that_does_not_know_the_ca_stays_out(self):
        """What makes the others work is the CA, and nothing that the tests switched off."""
        self.serve_page(None)
        browser = self.browser(ca=None)
        self.open(browser, origin="http://localhost")
        self.served.wait_log("TLS: it does not accept this listener's certificate")
        browser.wait_text("#state", "closed")


if __name__ == "__main__":
    main()
