"""Blanks out comments and literals of C++ source, so that what is left can be searched by brackets and words."""

import re

_SKIP = re.compile(
    r"""
    (?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
  | (?P<raw>\b(?:u8|[uUL])?R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)")
  | (?P<string>"(?:\\.|[^"\\\n])*")
  | (?P<separator>(?<=[0-9A-Fa-f])'(?=[0-9A-Fa-f]))
  | (?P<char>'(?:\\.|[^'\\\n])+')
    """,
    re.VERBOSE | re.DOTALL,
)


def _blank(match):
    text = match.group(0)
    if match.lastgroup == "separator":
        return " "
    inner = "".join("\n" if c == "\n" else " " for c in text)
    if match.group("comment"):
        return inner
    # a literal stays one token of the same length
    return '"' + inner[1:-1] + '"' if len(text) > 1 else inner


def code_only(source):
    """The source with every comment and literal's content replaced by spaces; offsets and lines stay."""
    return _SKIP.sub(_blank, source)


def line_of(source, offset):
    """1-based line of an offset."""
    return source.count("\n", 0, offset) + 1
