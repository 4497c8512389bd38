"""Tidegate and Debian's Mosquitto as processes that are measured, each with a folder of its own; ended by their ids."""

import ctypes
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / "release"
TIDEGATE = os.environ.get("TIDEGATE", str(BUILD / "tidegate"))
LOAD = os.environ.get("TIDEGATE_LOAD", str(BUILD / "tests" / "bench" / "tidegate-load"))
MOSQUITTO = "/usr/sbin/mosquitto"
FIRST = -10  # niceness


class Trouble(Exception):
    """Why nothing could be measured."""


def add_programs(parser):
    parser.add_argument("--tidegate", type=os.path.abspath, default=TIDEGATE, help="binary (default: %(default)s)")
    parser.add_argument("--mosquitto", type=os.path.abspath, default=MOSQUITTO)
    parser.add_argument("--load", type=os.path.abspath, default=LOAD, help="the load program")


def check_programs(programs):
    for program in programs:
        if not os.access(program, os.X_OK):
            raise Trouble(f"{program} is not there; build it, or say where it is")


def open_files_limit():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def may_go_first():
    """Whether `first` has an effect: for root, where it is not taken away."""
    return not subprocess.run(["nice", "-n", str(FIRST), "true"], capture_output=True, check=False).stderr


def child_set_up(first):
    """Runs in a child before exec: all the descriptors it may have, and an end when this script ends. `first`: it goes
    before what else runs on the machine, where that is allowed."""
    hard = open_files_limit()
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if first:
        try:
            os.setpriority(os.PRIO_PROCESS, 0, FIRST)
        except PermissionError:
            pass


class Broker:
    """One broker process; ended when the block ends.

    limits: of Tidegate. lines: more of mosquitto.conf. certs: a folder with server.crt and server.key for a second,
    TLS listener.
    """

    def __init__(self, kind, program, limits, lines=(), certs=None, first=False):
        self.kind, self.program, self.limits, self.lines, self.certs = kind, program, limits, lines, certs
        self.first = first
        self.port = free_port()
        self.tls_port = free_port() if certs else None
        self.folder = None
        self.process = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="tidegate-bench-")
        command = self.tidegate() if self.kind == "tidegate" else self.mosquitto()
        self.log = open(os.path.join(self.folder, "log"), "w+b")
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                            cwd=self.folder, preexec_fn=lambda: child_set_up(self.first))
            self.wait_until_listening()
        except BaseException:
            self.__exit__()
            raise
        return self

    def files(self):
        return {"cert_file": os.path.join(self.certs, "server.crt"), "key_file": os.path.join(self.certs, "server.key")}

    def tidegate(self):
        path = os.path.join(self.folder, "tidegate.json")
        plain = {"name": "plain", "bind": "127.0.0.1", "port": self.port, "allow_anonymous": True}
        listeners = [plain]
        if self.certs:
            listeners.append({**plain, "name": "tls", "port": self.tls_port, "tls": self.files()})
        config = {"listeners": listeners, "limits": self.limits, "store": {"path": os.path.join(self.folder, "store")}}
        pathlib.Path(path).write_text(json.dumps(config, indent=2))
        return [self.program, "run", "-c", path]

    def mosquitto(self):
        path = os.path.join(self.folder, "mosquitto.conf")
        lines = ["allow_anonymous true", "persistence false", "log_type error", "set_tcp_nodelay true", *self.lines]
        if os.geteuid() == 0:
            lines.append("user root")  # so that /proc/PID stays readable, and the folder private
        lines.append(f"listener {self.port} 127.0.0.1")
        if self.certs:
            files = self.files()
            lines += [f"listener {self.tls_port} 127.0.0.1", f"certfile {files['cert_file']}",
                      f"keyfile {files['key_file']}"]
        pathlib.Path(path).write_text("\n".join(lines) + "\n")
        return [self.program, "-c", path]

    def wait_until_listening(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Trouble(f"{self.kind} ended at once: {self.last_words()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.5).close()
                time.sleep(0.2)
                return
            except OSError:
                time.sleep(0.02)
        raise Trouble(f"{self.kind} does not listen after 10 s: {self.last_words()}")

    def last_words(self):
        self.log.seek(0)
        return self.log.read()[-2000:].decode(errors="replace").strip() or "(it said nothing)"

    def __exit__(self, *_):
        if self.process:
            end(self.process)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def end(process):
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def drive(load, broker, arguments, seconds_max, port=None):
    """What tidegate-load found, as its JSON says it. port: none: the plain one."""
    command = [load, "--port", str(port or broker.port), "--pid", str(broker.process.pid), "--json", "--timeout",
               str(seconds_max - 20), *arguments]
    tool = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            preexec_fn=lambda: child_set_up(broker.first))
    try:
        out, errors = tool.communicate(timeout=seconds_max)
    except subprocess.TimeoutExpired as late:
        raise Trouble(f"tidegate-load did not end within {seconds_max} s") from late
    finally:
        end(tool)
    if broker.process.poll() is not None:
        raise Trouble(f"{broker.kind} ended in the middle: {broker.last_words()}")
    if not out.strip():
        raise Trouble(f"tidegate-load against {broker.kind}: {errors.decode().strip()}")
    return json.loads(out)


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    release = os.uname().release
    return f"{os.cpu_count()} x {model}, Linux {release}, load {os.getloadavg()[0]:.2f} at the start"


def run(name, main):
    """Exit: what main says; 2 where nothing could be measured."""
    def interrupted(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupted)
    try:
        sys.exit(main())
    except Trouble as trouble:
        print(f"{name}: {trouble}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"\n{name}: interrupted; all brokers are ended", file=sys.stderr)
        sys.exit(2)
