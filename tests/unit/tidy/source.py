"""Reads C++ just well enough for rules: comments and strings blanked out, lines kept, function bodies found."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""//[^\n]*                                   # comment to the end of the line
      | /\*.*?\*/                                  # comment
      | R"(?P<delimiter>[^(\s]*)\(.*?\)(?P=delimiter)"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'        # a character, not a digit separator
    """,
    re.DOTALL | re.VERBOSE,
)


def code_only(text):
    """The text with comments and the content of literals replaced by blanks, so that places stay what they are."""

    def blank(match):
        token = match.group()
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        return token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1]

    return _TOKEN.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


@dataclass
class Function:
    name: str
    line: int  # of its first line
    lines: int


# What stands before a brace that opens no function although there is a parenthesis in it.
_NOT_A_FUNCTION = re.compile(r"^\s*(namespace|class|struct|union|enum|extern)\b|=\s*$|\breturn\b")
_NAME = re.compile(r"([\w:~]+|operator\s*\S+)\s*\(")


def functions(code):
    """The functions defined in `code` (from code_only). Lambdas count as part of the function that they stand in."""
    code = re.sub(r"^[ \t]*#.*?(?<!\\)$", lambda m: re.sub(r"[^\n]", " ", m.group()), code, flags=re.M | re.S)
    found = []
    header = 0  # where what stands before the next brace begins
    at = 0
    while at < len(code):
        character = code[at]
        in_parentheses = code.count("(", header, at) > code.count(")", header, at) if character in ";{" else False
        if character == "}" or character == ";" and not in_parentheses:
            header = at + 1
        elif character == "{":
            before = code[header:at]
            end = _closing_brace(code, at)
            rest = code[end + 1 : end + 200].lstrip()
            if in_parentheses:  # an argument
                at = end
            elif "(" in before and not _NOT_A_FUNCTION.search(before):
                if not rest.startswith((",", "{")):  # else a member's initializer: the body is still to come
                    begin = header + len(before) - len(before.lstrip())
                    name = _NAME.search(before)
                    first = line_of(code, begin)
                    found.append(Function(name.group(1) if name else "?", first, line_of(code, end) - first + 1))
                    header = end + 1
                at = end
            elif before.rstrip().endswith("="):  # a table
                at = end
            else:  # a namespace or a type: look into it
                header = at + 1
        at += 1
    return found


def _closing_brace(code, opening):
    depth = 0
    for at in range(opening, len(code)):
        if code[at] == "{":
            depth += 1
        elif code[at] == "}":
            depth -= 1
            if depth == 0:
                return at
    return len(code) - 1
