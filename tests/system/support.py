"""What the system tests stand on: the gateway, Mosquitto, Tidegate's load program and rude peers as processes of a
test, in a folder of its own, ended by their process ids whatever happens.

Waiting is always for a condition with a limit. Everything is on the loopback; ports are locked, so that tests that run
at the same time do not take each other's.
"""

import ctypes
import errno
import fcntl
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from raw_mqtt import Client, Closed

HERE = Path(__file__).resolve().parent
TIDEGATE = os.environ.get("TIDEGATE", str(HERE.parents[1] / "build/release/tidegate"))
LOAD = os.environ.get("TIDEGATE_LOAD", str(HERE.parents[1] / "build/release/tests/bench/tidegate-load"))
# Debian keeps it in /usr/sbin, which is not in everybody's path.
MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
# A sanitizer makes the gateway slower; limits of time stretch by this.
SLOWNESS = float(os.environ.get("TIDEGATE_SLOWNESS", "1"))
SEED = int(os.environ.get("TIDEGATE_SEED") or random.SystemRandom().randrange(1 << 31))

_libc = ctypes.CDLL(None, use_errno=True)
_port_locks = []


def free_port():
    """A port that is free now and that no other test takes while this process lives.

    Below the range from which the kernel takes ports for outgoing connections.
    """
    folder = Path(tempfile.gettempdir(), f"tidegate-test-ports-{os.getuid()}")
    folder.mkdir(exist_ok=True)
    chooser = random.SystemRandom()
    while True:
        port = chooser.randrange(20000, 32000)
        lock = os.open(folder / str(port), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                with socket.socket(family) as probe:
                    probe.bind((address, port))
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):  # there is no IPv6 here
                os.close(lock)
                continue
        _port_locks.append(lock)
        return port


def wait_for(condition, what, timeout=20, every=0.02):
    """The first true value of condition(); AssertionError after `timeout` seconds."""
    end = time.monotonic() + timeout * SLOWNESS
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {timeout * SLOWNESS:.0f} s still not so: {what}")
        time.sleep(every)


def answers(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), timeout=1).close()
        return True
    except OSError:
        return False


def namespace(kind, as_user=True):
    """The command that runs another in a "mount" or "net" namespace of its own; none: not allowed here, as in most
    containers. `as_user`: an ordinary user may become root in there."""
    for command in (["unshare", "--" + kind], ["unshare", "--map-root-user", "--" + kind])[:2 if as_user else 1]:
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return None


def need_npm_packages():
    """scripts/test fetches them; who runs a file alone gets them here, at the versions of the lock file."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise unittest.SkipTest("needs node and npm")
    folder = HERE.parent
    lock, fetched = folder / "package-lock.json", folder / "node_modules/.package-lock.json"
    with open(lock, encoding="utf-8") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not fetched.exists() or fetched.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run(["npm", "ci", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund"],
                           check=True, capture_output=True, timeout=300)


def die_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Child:
    """A process whose output goes to a file."""

    def __init__(self, name, command, folder, env=None, cwd=None):
        self.name = name
        self.command = [str(word) for word in command]
        self.log = Path(folder, name + ".log")
        self.env = env
        self.cwd = cwd
        self.process = None

    def spawn(self):
        environment = {**os.environ, **self.env} if self.env else None
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment, cwd=self.cwd, preexec_fn=die_with_parent)
        return self

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def pause(self):
        """Stopped, not ended: it answers nobody until resume()."""
        self.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self):
        self.signal(signal.SIGCONT)

    def wait(self, timeout=30):
        return self.process.wait(timeout * SLOWNESS)

    def kill(self):
        """kill -9, and the end of it."""
        if self.running():
            self.process.kill()
        return self.process.wait(30) if self.process else None

    def terminate(self, timeout=10):
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(timeout * SLOWNESS)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"{self.name} did not end within {timeout} s of SIGTERM") from None
        return self.process.returncode

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_size(self):
        return self.log.stat().st_size if self.log.exists() else 0

    def crash(self):
        """Words about a death that no test asked for, or about what a sanitizer found; else None."""
        code = self.process.returncode if self.process else None
        if code in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGILL, -signal.SIGFPE):
            return f"{self.name}: {signal.Signals(-code).name}"
        report = re.search(r"ERROR: \w+Sanitizer[^\n]*|WARNING: ThreadSanitizer[^\n]*|[^\n]*runtime error: [^\n]*",
                           self.log_text())
        return f"{self.name}: {report.group()}" if report else None

    def wait_log(self, pattern, timeout=20, since=0):
        """Waits for a line that matches, behind byte `since` of the log. Returns the match."""
        def found():
            with open(self.log, "rb") as log:
                log.seek(since)
                return re.search(pattern, log.read().decode(errors="replace"))
        return wait_for(found, f"{self.name} says {pattern!r}", timeout, 0.01)


class Gateway(Child):
    """`config` is the configuration's JSON; start() writes it. What is not in it: see Case.gateway()."""

    def __init__(self, folder, config, name="gateway", options=(), env=None, before=()):
        self.folder = Path(folder)
        self.config = config
        self.file = self.folder / f"{name}.json"
        super().__init__(name, [*before, TIDEGATE, "run", "-c", self.file, *options], folder, env)

    @property
    def port(self):
        return self.config["listeners"][0]["port"]

    @property
    def store(self):
        return Path(self.config["store"]["path"])

    def write(self):
        self.file.write_text(json.dumps(self.config, indent=1))
        self.file.chmod(0o640)

    def start(self, timeout=20):
        self.write()
        since = self.log_size()
        self.spawn()

        def serves():
            if not self.running():
                raise AssertionError(f"the gateway ended with {self.process.returncode}:\n{self.log_text()[-3000:]}")
            with open(self.log, "rb") as log:
                log.seek(since)
                return b"Listening: " in log.read() and answers(self.port)
        wait_for(serves, "the gateway listens", timeout, 0.005)
        return self

    def reload(self, timeout=20):
        """Writes the configuration and sends SIGHUP; returns what the log says up to the end of it."""
        self.write()
        since = self.log_size()
        self.signal(signal.SIGHUP)
        self.wait_log(r"Configuration (reloaded|not reloaded)[^\n]*\n", timeout, since)
        return self.log.read_bytes()[since:].decode(errors="replace")

    def client(self, client_id="", **options):
        return Client(self.port, client_id, **options)


class Mosquitto(Child):
    def __init__(self, folder, port, lines=(), name="mosquitto", persistent=False):
        self.port = port
        config = [f"listener {port} 127.0.0.1", "allow_anonymous true", "max_queued_messages 0",
                  "max_inflight_messages 1000", "log_type all", "log_timestamp false", "user root"]
        if persistent:
            config += ["persistence true", f"persistence_location {folder}/", f"persistence_file {name}.db"]
        file = Path(folder, name + ".conf")
        file.write_text("\n".join([*config, *lines]) + "\n")
        super().__init__(name, [MOSQUITTO, "-c", file], folder)

    def start(self):
        self.spawn()
        wait_for(lambda: answers(self.port), "Mosquitto listens", 20, 0.01)
        return self

    def client(self, client_id="", **options):
        return Client(self.port, client_id, **options)


class RudePeer:
    """A server on the loopback that does to each connection what `behave(peer, socket)` does, on a thread of its own.
    `connects` has the time of each one."""

    def __init__(self, behave, port=None):
        self.behave = behave
        self.connects = []
        self.stopped = threading.Event()
        self._open = []
        self.listener = socket.create_server(("127.0.0.1", port or free_port()))
        self.port = self.listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                accepted, _ = self.listener.accept()
            except OSError:
                return
            self.connects.append(time.monotonic())
            self._open.append(accepted)
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted):
        try:
            self.behave(self, accepted)
        except (OSError, Closed):
            pass

    def close(self):
        self.stopped.set()
        for each in [self.listener, *self._open]:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()
        self._thread.join(5)


def rule(topic, direction="out", **more):
    return {"topic": topic, "direction": direction, **more}


def bridge(port, rules, name="cloud", **more):
    """Tries again fast, so that a test need not wait for the backoff's long end."""
    return {"name": name, "addresses": [f"127.0.0.1:{port}"], "rules": rules,
            "restart_timeout": {"base": "100ms", "cap": "300ms", "stable_after": "0s"}, **more}


def count_lines(path):
    try:
        return Path(path).read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


class Case(unittest.TestCase):
    """A temporary folder, and processes that end with the test. The logs are shown when it fails."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tidegate-"))
        self.random = random.Random(f"{SEED}:{self.id()}")
        self._children = []
        self._problems_before = self._problems()
        self.addCleanup(self._tidy_up)

    def _problems(self):
        return len(self._outcome.result.failures) + len(self._outcome.result.errors)

    def _tidy_up(self):
        for child in reversed(self._children):
            child.kill()
        if self._problems() > self._problems_before:
            print(f"seed {SEED}", file=sys.stderr)
            for child in self._children:
                print(f"--- {child.name}: end of its log\n{child.log_text()[-4000:]}", file=sys.stderr)
        crashes = [crash for child in self._children if (crash := child.crash())]
        shutil.rmtree(self.folder, ignore_errors=True)
        self.assertEqual(crashes, [], "a process died of itself")

    def client(self, broker, client_id="", **options):
        """A client of `broker` that is closed with the test."""
        made = broker.client(client_id, **options)
        self.addCleanup(made.close)
        return made

    def keep(self, child):
        """Ends it with the test."""
        self._children.append(child)
        return child

    def config(self, *bridges, **more):
        return {
            "gateway": {"name": "gw", "sys_interval": "1s"},
            "listeners": [{"name": "lan", "bind": "127.0.0.1", "port": free_port(), "allow_anonymous": True}],
            "bridges": list(bridges),
            "store": {"path": str(self.folder / "store"), "min_free": "0B"},
            **more,
        }

    def gateway(self, *bridges, name="gateway", options=(), env=None, before=(), **more):
        """Not started yet."""
        return self.keep(Gateway(self.folder, self.config(*bridges, **more), name, options, env, before))

    def mosquitto(self, lines=(), port=None, **more):
        """Not started yet."""
        return self.keep(Mosquitto(self.folder, port or free_port(), lines, **more))

    def peer(self, behave, port=None):
        made = RudePeer(behave, port)
        self.addCleanup(made.close)
        return made

    def run_program(self, *command, timeout=60, **options):
        """Runs it to its end; output as text."""
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                              timeout=timeout * SLOWNESS, stdin=options.pop("stdin", subprocess.DEVNULL),
                              preexec_fn=die_with_parent, **options)
        return done

    def load(self, *options, timeout=60, expect=(0,)):
        """Runs the load program; the numbers of its report."""
        done = self.run_program(LOAD, "--json", "--timeout", timeout, *options, timeout=timeout + 10)
        self.assertIn(done.returncode, expect, f"tidegate-load {options}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout.startswith("{") else {}

    def start_load(self, *options):
        """The load program, running; its report is its log."""
        return self.keep(Child("load", [LOAD, "--json", *options], self.folder)).spawn()

    def make_user(self, name):
        """A user as in the configuration, and the password."""
        folder = self.folder / ("user-" + name)
        folder.mkdir()
        done = self.run_program(TIDEGATE, "init", "--user", name, "--file", folder / "tidegate.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        password = done.stdout.split("with the password ")[1].split()[0]
        return {"name": name, "password_hash": f"file:{folder}/secrets/{name}.hash"}, password

    def status(self, client, name="cloud", timeout=20):
        """A function that returns the newest status of a bridge, read by `client`, which subscribes here."""
        topic = f"$SYS/broker/bridge/{name}/status"
        client.subscribe(topic, qos=0)

        def newest():
            client.ping()
            found = [message for message in client.inbox if message.topic == topic]
            return json.loads(found[-1].payload) if found else {}
        wait_for(newest, f"a status of bridge {name}", timeout)
        return newest


def main():
    print(f"seed {SEED} (TIDEGATE_SEED repeats it)", flush=True)
    unittest.main(verbosity=2)
