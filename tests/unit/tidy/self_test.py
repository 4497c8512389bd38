#!/usr/bin/env python3
"""A test that cannot fail proves nothing: each check is given something to find, and something like it to pass over."""

import tempfile
import unittest
from pathlib import Path

import conformance
import tidy
from source import code_only, functions


def problems(check, files):
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, path).write_text(text, encoding="utf-8")
        return list(tidy.CHECKS[check](tidy.Tree(folder)))


def header(text):
    return "#pragma once\n" + text


class Includes(unittest.TestCase):
    def test_an_arrow_in_the_wrong_direction_is_found(self):
        files = {"gateway/broker/broker.h": header(""), "bridge/uplink.cpp": '#include "gateway/broker/broker.h"\n'}
        self.assertRegex(problems("includes", files)[0], r"^bridge/uplink.cpp:1: bridge must not include broker")

    def test_the_app_knows_everybody(self):
        files = {"bridge/bridge.h": header(""), "gateway/main.cpp": '#include "bridge/bridge.h"\n'}
        self.assertEqual(problems("includes", files), [])

    def test_a_library_outside_its_files_is_found(self):
        self.assertRegex(problems("includes", {"store/queue.cpp": "#include <rocksdb/db.h>\n"})[0], "RocksDB is for")
        self.assertEqual(problems("includes", {"store/rocks_store.cpp": "#include <rocksdb/db.h>\n"}), [])

    def test_an_unknown_library_is_found(self):
        self.assertRegex(problems("includes", {"gateway/main.cpp": "#include <curl/curl.h>\n"})[0], "no known library")

    def test_an_edge_in_a_pure_part_is_found(self):
        for include in "<thread>", "<filesystem>", "<sys/socket.h>":
            self.assertTrue(problems("includes", {"gateway/mqtt/framer.cpp": f"#include {include}\n"}), include)
        self.assertEqual(problems("includes", {"gateway/mqtt/framer.cpp": "#include <chrono>\n"}), [])

    def test_a_file_outside_every_box_is_found(self):
        self.assertTrue(problems("includes", {"stuff/thing.cpp": ""}))


class Calls(unittest.TestCase):
    def test_a_banned_call_is_found_with_its_replacement(self):
        found = problems("calls", {"gateway/net/loop.cpp": "\nauto t = std::chrono::steady_clock::now();\n"})
        self.assertRegex(found[0], r"^gateway/net/loop.cpp:2: 'steady_clock::now': write read_clock\(\)")

    def test_comments_and_texts_are_passed_over(self):
        quiet = '// std::stoi(x)\nauto s = "std::stoi(x)"; /* rand( */ auto r = R"(rand())"; int n = 1\'000\'000;\n'
        self.assertEqual(problems("calls", {"gateway/net/loop.cpp": quiet}), [])

    def test_pure_parts_throw_nothing(self):
        self.assertTrue(problems("calls", {"gateway/mqtt/decode.cpp": "void f() { throw 1; }\n"}))
        self.assertEqual(problems("calls", {"bridge/paho_link.cpp": "void f() { throw 1; }\n"}), [])

    def test_a_header_without_pragma_once_is_found(self):
        self.assertTrue(problems("calls", {"gateway/net/loop.h": "int f();\n"}))


class Size(unittest.TestCase):
    LIST = "tests/unit/tidy/exceptions.txt"

    def test_a_long_file_and_a_long_function_are_found(self):
        long_file = "int a;\n" * 601
        long_function = "void Loop::run() {\n" + "  step();\n" * 70 + "}\n"
        self.assertRegex(problems("size", {"bridge/a.cpp": long_file})[0], "the file has 601 lines, 600 are allowed")
        self.assertRegex(problems("size", {"bridge/a.cpp": long_function})[0], "Loop::run has 72 lines, 70 are allowed")

    def test_what_is_listed_may_stay_but_not_grow(self):
        long_file = "int a;\n" * 601
        self.assertEqual(problems("size", {"a.cpp": long_file, self.LIST: "a.cpp 601 a table\n"}), [])
        self.assertTrue(problems("size", {"a.cpp": long_file + "int b;\n", self.LIST: "a.cpp 601 a table\n"}))

    def test_the_list_shrinks_with_the_file(self):
        self.assertRegex(problems("size", {"a.cpp": "int a;\n", self.LIST: "a.cpp 601 a table\n"})[0], "only 1 lines")

    def test_functions_are_told_from_what_looks_like_them(self):
        code = """
namespace a {
struct S {
  S(int x) : x_{x}, y_(x) {
    go();
  }
  int x_ = f({1});
};
constexpr int table[] = {f(1), f(2)};
template <class T>
auto apply(T t) -> decltype(t()) {
  auto inner = [&] { return t(); };
  for (int i = 0; i < 3; ++i) {
    t();
  }
  return inner();
}
enum class E { one, two };
TEST_F(Uplink, KeepsOrder) { run(); }
}
"""
        self.assertEqual([(f.name, f.lines) for f in functions(code_only(code))],
                         [("S", 3), ("apply", 8), ("TEST_F", 1)])


class Format(unittest.TestCase):
    def test_a_file_written_otherwise_is_found(self):
        style = {".clang-format": "BasedOnStyle: Google\n"}
        self.assertTrue(problems("format", {**style, "a.cpp": "int  f( ) ;\n"}))
        self.assertEqual(problems("format", {**style, "a.cpp": "int f();\n"}), [])

    def test_blanks_at_the_end_and_a_missing_line_end_are_found(self):
        self.assertTrue(problems("format", {"a.md": "text \n"}))
        self.assertTrue(problems("format", {"a.md": "text"}))


class Texts(unittest.TestCase):
    def test_a_number_that_means_nothing_here_is_found(self):
        self.assertTrue(problems("texts", {"a.md": "as in issue 12\n"}))
        self.assertTrue(problems("texts", {"a.cpp": "// see #1234\n"}))
        quiet = "12 issues of a paper, topic a/#, color: #333, upstream's facebook/rocksdb #11968\n"
        self.assertEqual(problems("texts", {"a.md": quiet}), [])

    def test_a_link_that_leads_nowhere_is_found(self):
        self.assertTrue(problems("texts", {"a.md": "[b](b.md)\n"}))
        self.assertEqual(problems("texts", {"a.md": "[b](b.md)\n", "b.md": "\n"}), [])


class Conformance(unittest.TestCase):
    def collected(self, files):
        """The tests of statement 1.1.1-1, and what was complained about."""
        found = []
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
                Path(folder, path).write_text(text, encoding="utf-8")
            standards = {version: conformance.Standard({"1.1.1-1": conformance.Clause("both", "x")})
                         for version in conformance.STANDARDS}
            conformance.collect(Path(folder), standards, found)
        return standards["5.0"].clauses["1.1.1-1"].tests, found

    def test_a_tag_belongs_to_the_test_around_it_or_below(self):
        test = "TEST(A, One) {  // [MQTT-1.1.1-1]\n}\n\n// [MQTT-1.1.1-1]\nTEST(A, Two) {\n}\nTEST(A, Three) {\n}\n"
        self.assertEqual(self.collected({"tests/unit/a/a_test.cpp": test}), ({"A.One", "A.Two"}, []))
        test = "class A:\n    def test_one(self):\n        pass\n\n    # [MQTT-1.1.1-1]\n    def test_two(self):\n"
        self.assertEqual(self.collected({"tests/system/a_test.py": test}), ({"a_test.py test_two"}, []))

    def test_a_tag_of_the_other_standard_or_of_none_is_told(self):
        test = "TEST(A, One) {  // [MQTT-1.1.1-1 of 3.1.1] [MQTT-9.9.9-9]\n}\n"
        tests, found = self.collected({"tests/unit/a/a_test.cpp": test})
        self.assertEqual(tests, set())
        self.assertRegex(found[0], r"^tests/unit/a/a_test.cpp:1: there is no \[MQTT-9.9.9-9\]")


if __name__ == "__main__":
    unittest.main()
