"""A page in headless Chromium, for tests in Python: each call is one of Playwright's Page (chromium.js)."""

import http.server
import json
import os
import ssl
import subprocess
import threading
from pathlib import Path

from support import HERE, SLOWNESS, die_with_parent, namespace

BROWSER = Path(__file__).resolve().parent
FILES = {"/page.html": BROWSER / "page.html", "/mqtt.min.js": HERE.parent / "node_modules/mqtt/dist/mqtt.min.js"}


class Browser:
    """With a profile of its own in `home`. It trusts `ca`, as if its user had told it to, and no other of ours."""

    def __init__(self, home, ca=None):
        store = Path(home, ".pki/nssdb")
        store.mkdir(parents=True)
        self._certutil("-N", "-d", f"sql:{store}", "--empty-password")
        if ca:
            self._certutil("-A", "-d", f"sql:{store}", "-n", "trial", "-t", "C,,", "-i", ca)
        # Root has to do without Chromium's sandbox, and so have containers that allow no user namespaces.
        sandbox = "sandbox" if os.getuid() != 0 and namespace("user") else "none"
        self.log = open(Path(home, "log"), "wb")
        self._process = subprocess.Popen(["node", BROWSER / "chromium.js", home, sandbox, str(int(60_000 * SLOWNESS))],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                         preexec_fn=die_with_parent)

    @staticmethod
    def _certutil(*command):
        subprocess.run(["certutil", *map(str, command)], check=True, capture_output=True, timeout=60)

    def call(self, method, *arguments):
        self._process.stdin.write(json.dumps([method, *arguments]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "Chromium has ended"}')
        if "error" in answer:
            raise AssertionError(f"{method}{arguments}: {answer['error']}")
        return answer.get("result")

    def wait_text(self, selector, text):
        """Until that is the text of the element."""
        found = f"document.querySelector({json.dumps(selector)})?.textContent"
        self.call("waitForFunction", f"{found} === {json.dumps(text)}")

    def texts(self, selector, count):
        """Of all that match, once there are `count`."""
        script = f"[...document.querySelectorAll({json.dumps(selector)})].map((each) => each.textContent)"
        self.call("waitForFunction", f"{script}.length >= {count}")
        return self.call("evaluate", script)

    def close(self):
        try:
            self._process.communicate(timeout=30 * SLOWNESS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self.log.close()


class PageServer:
    """Serves page.html and MQTT.js on the loopback; over TLS with `certificate` (cert_file, key_file)."""

    def __init__(self, port, certificate=None):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), _Files)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate["cert_file"], certificate["key_file"])
            # The handshake belongs to the connection's own thread: Chromium opens some in store.
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True,
                                                      do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        file = FILES.get(self.path.partition("?")[0])
        body = file.read_bytes() if file else b"not here"
        self.send_response(200 if file else 404)
        self.send_header("Content-Type", "text/javascript" if file and file.suffix == ".js" else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
