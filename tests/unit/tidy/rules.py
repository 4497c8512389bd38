"""What the tidy test asks for. ARCHITECTURE.md gives the reasons; a new box, library or ban is a line here."""

import re

# Boxes: the first pattern that matches a file's path says where it belongs. `*` does not cross a slash.
BOXES = [
    ("gateway/base/*", "base"),
    ("gateway/mqtt/*", "mqtt"),
    ("gateway/access/*", "access"),
    ("gateway/broker/*", "broker"),
    ("gateway/status/*", "status"),
    ("gateway/log/*", "log"),
    ("gateway/net/*", "net"),
    ("gateway/login/*", "login"),
    ("gateway/*", "app"),
    ("store/committer*", "store"),
    ("store/open_store*", "store"),
    ("store/rocks_*", "store"),
    ("store/disk_space*", "store"),
    ("store/store_folder*", "store"),
    ("store/log_*", "store"),
    ("store/queue_readers*", "store"),
    ("store/*", "store_core"),
    ("bridge/*", "bridge"),
    ("config/*", "config"),
    ("web/*", "web"),
    ("tests/**", "tests"),
]

# Who may include whom; everyone may include itself. `app` and `tests` know everybody.
ARROWS = {
    "base": [],
    "mqtt": ["base"],
    "access": ["base"],
    "store_core": ["base"],
    "broker": ["base", "mqtt", "access", "store_core"],
    "status": ["base", "mqtt", "access", "store_core", "broker"],
    "config": ["base", "access"],
    "store": ["base", "store_core"],
    # The core loop hands each turn's batch to the committer.
    "log": ["base"],
    "net": ["base", "mqtt", "access", "broker", "log", "store_core", "store"],
    "login": ["base", "access", "config"],
    "bridge": ["base", "store_core", "store"],
    "web": ["base", "config"],
    "app": ["*"],
    "tests": ["*"],
}

# No sockets, files, clocks, threads or logs.
PURE = {"base", "mqtt", "access", "store_core", "broker", "status", "config"}
# The files of pure boxes that are not pure, with what they are for.
EDGES_IN_PURE_BOXES = {
    "gateway/base/time.h": "declares read_clock()",
    "gateway/base/time.cpp": "the one place that reads the clocks",
    "gateway/base/mailbox.h": "the one hand-over between threads",
    "gateway/base/result.cpp": "says which invariant broke before it ends the process",
    "store/memory_store.h": "a store like another: read from any thread",
    "store/memory_store.cpp": "a store like another: read from any thread",
    "config/files.cpp": "reads the files that a configuration names",
    "config/reading.cpp": "resolves their paths",
    "config/units.cpp": "inet_pton: pure, though it stands in a socket header",
}
IMPURE_HEADERS = (
    "filesystem fstream iostream thread mutex shared_mutex condition_variable future stop_token semaphore latch "
    "barrier random csignal regex"
).split()

# System headers (with a slash or .h): for edges, app and tests.
SYSTEM_HEADERS = re.compile(
    r"^(sys|netinet|arpa|net|linux)/|^(stdlib|unistd|fcntl|dirent|dlfcn|netdb|pthread|poll|signal|spawn|syslog|pwd|grp|"
    r"ifaddrs|malloc|sched|termios|link)\.h$"
)

# External libraries: who may include them. As few files as possible, so that a library can be replaced.
LIBRARIES = [
    (r"^rocksdb/", "RocksDB", ["store/rocks_*", "store/queue_readers*"]),
    (r"^mqtt/|^MQTT", "Paho", ["bridge/paho_*", "bridge/wire_properties*", "tests/system/devices/*"]),
    (r"^boost/", "Boost", ["gateway/net/*", "gateway/app*", "web/*"]),
    (r"^openssl/", "OpenSSL", [
        "gateway/net/tls*", "gateway/net/ws_upgrade*", "gateway/login/*", "bridge/paho_*", "bridge/tls_*",
        "bridge/sas_token*", "tests/bench/link*"]),
    (r"^spdlog/", "spdlog", []),  # gateway/log/log.h says things
    (r"^fmt/", "fmt", ["gateway/*", "gateway/log/*", "gateway/net/*"]),
    (r"^CLI/", "CLI11", ["gateway/main.cpp", "tests/bench/*"]),
    (r"^nlohmann/", "nlohmann/json", ["config/parse*", "config/schema*", "gateway/*", "web/*", "tests/**"]),
    (r"^argon2\.h$", "libargon2", ["gateway/login/password*"]),
    (r"^tl/", "tl::expected", ["gateway/base/result.h", "gateway/mqtt/decode.h", "config/*", "tests/**"]),
    (r"^(gtest|gmock|benchmark)/", "the test libraries", ["tests/**"]),
]

# Banned calls: what, what to write in its place, and where it is right all the same.
BANS = [
    (r"\b(system|steady|high_resolution)_clock::now\b", "read_clock() of gateway/base/time.h, and pass Now on",
     ["gateway/base/time.cpp", "tests/bench/*", "tests/sim/**", "tests/support/*", "tests/scripted/**",
      "tests/unit/store/backlog_test.cpp"]),
    (r"\b(gettimeofday|clock_gettime|localtime|gmtime)\s*\(|\btime\s*\(\s*(NULL|nullptr|0|&)",
     "read_clock() of gateway/base/time.h", ["tests/bench/*", "gateway/log*"]),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(",
     "a timer, or a condition variable; a unit test moves time by assignment",
     ["tests/bench/*", "tests/scripted/**", "tests/unit/store/rocks_store_test.cpp"]),
    (r"\bsto(i|l|ll|ul|ull|f|d|ld)\s*\(|\bato(i|l|ll|f)\s*\(|\bstrto\w+\s*\(|\bv?f?s?scanf\s*\(",
     "std::from_chars: no exception, no locale, the whole text or nothing", ["tests/**"]),
    (r"(?<![\w.:>])system\s*\(|\bpopen\s*\(", "posix_spawn with a list of arguments: no shell in between", []),
    (r"\bs?rand\s*\(|\brandom_shuffle\b", "a generator of <random> that the caller seeds: a run can be replayed", []),
    (r"\b(strcpy|strcat|sprintf|vsprintf|gets)\s*\(", "std::string, or a function that is told the size", []),
    (r"(?<!static_)\bassert\s*\(", "TIDEGATE_CHECK of gateway/base/result.h: in release, too", []),
    (r"\bstd::endl\b", "'\\n': nobody asked for a flush", []),
    (r"\busing\s+namespace\s+std\s*;", "std:: where it is used", []),
    (r"\bco_(await|return|yield)\b", "plain callbacks: ordinary coroutine patterns double-free on g++ 12", []),
    (r"\bany_io_executor\b", "the concrete executor: the erased one costs an allocation per operation", []),
    # A name lookup cannot be interrupted: its thread is left alone when nobody waits for it any more.
    (r"\.detach\(\)", "a thread that somebody joins", ["bridge/name_lookup.cpp"]),
    (r"\bdelete\s+[a-z]\w*\s*;|\bdelete\s*\[\]", "std::unique_ptr", []),
    (r"\bvolatile\b(?!\s+std::sig_atomic_t)", "std::atomic", []),
]
BANNED_IN_PURE = [
    (r"\bthrow\b(?!\s*\()", "fail(...) of gateway/base/result.h: exceptions end at the adaptor of what throws"),
    (r"\bstd::(cout|cerr|clog)\b|\b(f|v|vf)?printf\s*\(", "an event for the caller to log"),
    (r"\bread_clock\s*\(", "a Now argument: time is given"),
    (r"\bgetenv\s*\(", "an argument"),
]

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
LINE_LENGTH_MAX = 120

# Words that no text of the project should hold. A library's own number is fine where its repository stands before it.
FORBIDDEN_TEXT = [
    (r"(?i)\b(issue|bug|ticket|pull request|fixes|closes|resolves)\s+#?\d+\b",
     "say what was wrong: a number means nothing to who reads this elsewhere"),
    (r"(?<!\S)(?!\S*/)(?!\w*color:)\S+ \(?#\d{2,5}\b",
     "say what was wrong: a number means nothing to who reads this elsewhere"),
    (r"\b(TODO|FIXME|XXX)\b", "do it, or write down plainly what is missing"),
    (r"(?<![\w.])/(work|home/\w+)/", "a path of one machine"),
    (r"https?://registry\.[\w.]+", "npm config set omit-lockfile-registry-resolved true: the lock needs no host"),
]
