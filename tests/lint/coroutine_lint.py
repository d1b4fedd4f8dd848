"""Enforces one co_await per statement, as the whole statement, with no lambda or braces in it: g++ 12 miscompiles others.

usage: coroutine_lint.py FILE…      prints FILE:LINE: what is wrong, and exits 1 if anything is
"""

import re
import sys

from cpp_text import code_only, line_of

OPEN, CLOSE = "([{", ")]}"
LABEL = re.compile(r"(?:case\b[^;{}?]*?|default|[A-Za-z_]\w*)\s*:(?!:)\s*")
HEAD = re.compile(r"(?:else\b\s*|do\b\s*|(?:if|while|for|switch)\b\s*(?:constexpr\s*)?(?=\())")
ASSIGNMENT = re.compile(r"[^=?{};]*[^=!<>+\-*/%&|^\s?{};]\s*=\s*", re.DOTALL)
# after a name, `)` or `]` a bracket is a subscript; anywhere else it begins a lambda
LAMBDA = re.compile(r"(?:^|[^\w\s)\]])\s*\[(?!\[)")


def skip_group(code, start):
    """The offset after the group that opens at start."""
    depth = 0
    for i in range(start, len(code)):
        if code[i] in OPEN:
            depth += 1
        elif code[i] in CLOSE:
            depth -= 1
            if depth == 0:
                return i + 1
    return len(code)


def before(code, offset):
    """What stands before offset in its statement, and the bracket it is nested in ('' for a block or none)."""
    depth, i = 0, offset - 1
    while i >= 0:
        c = code[i]
        if c == ";" and depth == 0:
            return code[i + 1 : offset], ""
        if c in CLOSE:
            if c == "}" and depth == 0:
                return code[i + 1 : offset], ""
            depth += 1
        elif c in OPEN:
            if depth == 0:
                return code[i + 1 : offset], "" if c == "{" else c
            depth -= 1
        i -= 1
    return code[:offset], ""


def after(code, offset):
    """The operand up to its semicolon; None where a bracket closes first."""
    depth = 0
    for i in range(offset, len(code)):
        c = code[i]
        if c in OPEN:
            depth += 1
        elif c in CLOSE:
            if depth == 0:
                return None
            depth -= 1
        elif c == ";" and depth == 0:
            return code[offset:i]
    return None


def top_level(text):
    """The text without what stands in brackets."""
    out, depth = [], 0
    for c in text:
        depth -= c in CLOSE
        if depth == 0:
            out.append(c)
        depth += c in OPEN
    return "".join(out)


def strip_heads(prefix):
    """Takes away labels and `if (…)`, `else`, `for (…)` in front: what follows them is a statement of its own."""
    prefix = prefix.lstrip()
    while True:
        head = HEAD.match(prefix)
        if head:
            end = head.end()
            prefix = (prefix[skip_group(prefix, end) :] if prefix[end : end + 1] == "(" else prefix[end:]).lstrip()
            continue
        label = LABEL.match(prefix)
        if not label:
            return prefix
        prefix = prefix[label.end() :]


def complaint(code, offset):
    """Why the co_await at offset breaks the rule, or None."""
    prefix, nested = before(code, offset)
    operand = after(code, offset + len("co_await"))
    if nested:
        return f"co_await inside '{nested}': give it a statement of its own"
    if operand is None:
        return "co_await inside braces or an argument: give it a statement of its own"
    prefix = strip_heads(prefix)
    if prefix and prefix.strip() not in ("co_return", "(void)") and not ASSIGNMENT.fullmatch(prefix):
        return "co_await is not the whole statement (co_await x; y = co_await x; co_return co_await x;)"
    if "co_await" in prefix or "co_await" in operand:
        return "more than one co_await in a statement"
    if LAMBDA.search(operand):
        return "a lambda in the same full expression as co_await: name it first"
    if "{" in operand or "{" in prefix:
        return "a braced temporary in the same full expression as co_await: name it first"
    if "?" in operand:
        return "a ternary in the same full expression as co_await, which may make a temporary: name it first"
    if re.search(r"\?|&&|\|\||==|!=", top_level(operand)):
        return "an operator applied to the result of co_await: name the result first"
    return None


def check(source):
    """Yields (line, message) for every breach."""
    code = code_only(source)
    for match in re.finditer(r"\bco_await\b", code):
        message = complaint(code, match.start())
        if message:
            yield line_of(code, match.start()), message


def main(paths):
    bad = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for line, message in check(file.read()):
                print(f"{path}:{line}: {message}")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
