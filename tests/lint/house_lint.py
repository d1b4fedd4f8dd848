"""Enforces the house's layers and habits: who may include what, a purpose line on top, no sleeping tests, no leftovers.

usage: house_lint.py        checks the tracked and new files of the tree it stands in
"""

import pathlib
import posixpath
import re
import subprocess
import sys

from cpp_text import code_only, line_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
PURE = re.compile(
    r"<(boost/(asio|beast)\b[^>]*|yaml-cpp/[^>]*|thread|mutex|shared_mutex|condition_variable|future|fstream|iostream"
    r"|sys/socket\.h|unistd\.h|netdb\.h|spdlog/[^>]*|CLI/[^>]*|sqlite3\.h)>"
)
# a folder may include what stands to its left
LAYERS = ["core", "policy", "conf", "proxy"]
# what one room of proxy/ alone may touch
FOREIGN = [
    (re.compile(r"<boost/beast[^>]*>"), "net"),
    (re.compile(r"<CLI/[^>]*>"), "cli"),
    (re.compile(r"<(sqlite3|libpq-fe)\.h>"), "vault"),
    (re.compile(r"<spdlog/[^>]*>"), "log"),
    (re.compile(r"<qrencode\.h>"), "approval"),
]
LONGEST_FILE = 320
LONGEST_FUNCTION = 80
MOST_FUNCTIONS = 30
MOST_MEMBERS = 15
# classes that need more, and why
LARGE_CLASSES = {
    "exchange": "one request on its way: its phases share what was sent and what came back",
    "credential_manager": "the assembly of recovery: its members are the parts",
    "bridge": "one table of who waits for which id, whatever stream an answer comes by",
    "credential_store": "the records of the vault: a function for what is read or written",
    "waiting_requests": "a function for each thing that ends a wait",
    "worker": "one thread of the data path: what its sessions share",
}
# what a brace opens when it is no function's: a namespace, a type, a list of values
NO_FUNCTION = re.compile(r"(?:^|[^\w])(namespace|class|struct|union|enum|extern)\b[^()]*$|[=,(\[]\s*$|^\s*$")
LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
# the temporary dies before the loop begins (C++20): name it first
DANGLING_FOR = re.compile(r"\bfor\s*\([^;{}()]*:\s*[\w.:>-]+\((?:[^()]|\([^()]*\))*\)\s*(?:\[|\.(?:at|value|items|body|error)\b|\.\w+\s*\))")
# five values in a row say nothing: failure::permanent(code, message, fix) and failure::passing do
UNNAMED_FAILURE = re.compile(r"\{\s*fault::\w+,(?:[^{}]|\{[^{}]*\})*,\s*(?:true|false)\s*\}")
# what comes from outside passes one reader a kind (docs/threat-model.md, "Where foreign things come in"):
# (what reads it otherwise, the files that may, what to call instead)
READERS = [
    (re.compile(r"[Jj]son::(?:parse|accept|sax_parse|from_\w+)\s*\(|\.dump\s*\(|>>\s*json\b"), {"core/json/json_reader.cpp", "core/json/json_reader.hpp"},
     "read_json(), walk_json() or json_text() of core/json/json_reader.hpp: depth and size are bounded there"),
    (re.compile(r"\bi?fstream\b(?!>)|\bfopen\s*\(|::open\s*\([^;]*O_RDONLY(?![^;]*O_DIRECTORY)"), {"conf/regular_file.cpp"},
     "read_regular_file() of conf/regular_file.hpp: it never waits, and reads regular files alone"),
    (re.compile(r"\bcreate_directories\s*\(|::mkdir\s*\("), {"conf/regular_file.cpp"},
     "make_private_directory() of conf/regular_file.hpp: 0700 whatever the umask"),
]
# /proc is the kernel's
KERNEL_FILE = re.compile(r'"/(?:proc|dev/null)')
# a call of a reader: its file stands in the table of docs/threat-model.md
READER_CALL = re.compile(r"\b(read_json|read_message_json|parse_json_object|walk_json|read_regular_file)\s*(?:<[^>]*>)?\s*\(")
READER_FILES = {"core/json/json_reader.cpp", "core/json/json_fields.cpp", "conf/regular_file.cpp"}
ENTRY_TABLE = "## Where foreign things come in"
SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep)\b")


def files():
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\n")
    return [name for name in names if name and (ROOT / name).is_file()]


def rooms(cmake):
    """Room ("core/http") -> the rooms of its layer that it links, as CMakeLists.txt says."""
    lines = re.findall(r"^reauth_room\(([\w/ ]+)\)", cmake, re.MULTILINE)
    return {words[0]: set(words[1:]) for words in map(str.split, lines)}


ROOMS = rooms((ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))


def check_room(name, source):
    """Yields what a file of a layer with rooms includes over a wall."""
    layer = name.split("/")[0]
    room = "/".join(name.split("/")[:2])
    if name.count("/") < 2 or room not in ROOMS:
        yield 1, f"{layer}/ is made of rooms: put it in one of " + ", ".join(sorted(r for r in ROOMS if r.startswith(layer + "/")))
        return
    for line, target in includes(source):
        wanted = "/".join(target.strip('"').split("/")[:2])
        if wanted.startswith(layer + "/") and wanted != room and wanted not in ROOMS[room]:
            yield line, f"{room} does not link {wanted} (CMakeLists.txt: reauth_room)"
        for pattern, owner in FOREIGN if layer == "proxy" else ():
            if pattern.fullmatch(target) and "proxy/" + owner != room:
                yield line, f"{target} belongs to proxy/{owner} alone"


def includes(source):
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(<[^>\n]+>|"[^"\n]+")', source, re.MULTILINE):
        yield line_of(source, match.start()), match.group(1)


def functions(source):
    """Yields (first line, lines) of each function of some code, lambdas and local types counted to the one they stand in."""
    code = code_only(source)
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code, flags=re.MULTILINE)
    opened, since, inside = [], 0, False
    for match in re.finditer(r"[{};]", code):
        at, sign = match.start(), match.group(0)
        if sign == "{":
            head = code[since:at]
            function = not inside and not NO_FUNCTION.search(head) and "(" in head
            begins = since + len(head) - len(head.lstrip())
            opened.append((function, begins))
            inside = inside or function
        elif sign == "}" and opened:
            function, begins = opened.pop()
            if function:
                inside = False
                if re.compile(r"\s*[,{]").match(code, at + 1):
                    continue  # a member's initial value in braces: the body is still to come
                first = line_of(code, begins)
                yield first, line_of(code, at) - first + 1
        if not inside:
            since = at + 1


CLASS_HEAD = re.compile(r"\bclass\s+(\w+)(?:\s+final)?\s*(?::[^:;{][^;{]*)?\{")
NO_MEMBER = re.compile(r"^(?:using|friend|enum|struct|class|union|typedef|static\s+constexpr|template|public|private|protected)\b")


def statements(body):
    """Yields what stands in a class at its own level, each with its inner braces emptied."""
    depth, text, parens = 0, "", 0
    for sign in body:
        if sign == "{":
            depth += 1
            if depth == 1:
                text += "{}"
        elif sign == "}":
            depth -= 1
            if depth == 0 and re.search(r"\)[^;=]*\{\}$", text):
                yield text.strip()
                text = ""
        elif depth == 0:
            parens += (sign == "(") - (sign == ")")
            if sign == ";" and parens == 0:
                yield text.strip()
                text = ""
            else:
                text += sign


def parts_of(body):
    """Functions and members of a class's body."""
    functions = members = 0
    for one in statements(body):
        one = re.sub(r"^(?:(?:public|private|protected)\s*:\s*)+", "", one)
        if not one or NO_MEMBER.match(one) and not re.match(r"template\b", one):
            continue
        plain = one
        for _ in range(6):
            plain = re.sub(r"<[^<>]*>", "", plain)
        before = re.split(r"=|\{\}", plain, maxsplit=1)[0]
        if "(" in before:
            # what stands in the declaration itself (an accessor, a line that passes on) hides nothing
            functions += not re.search(r"=\s*(?:default|delete|0)\s*$|\{\}", plain)
        elif re.match(r"[\w:~\[]", before):
            flat = re.sub(r"\([^()]*\)", "", plain)
            members += 1 + flat.count(",")
    return functions, members


def classes(source):
    """Yields (line, name, functions, members) of each class."""
    code = code_only(source)
    for match in CLASS_HEAD.finditer(code):
        if code[: match.start()].rstrip().endswith("enum"):
            continue
        depth, at = 1, match.end()
        while depth and at < len(code):
            depth += {"{": 1, "}": -1}.get(code[at], 0)
            at += 1
        yield line_of(code, match.start()), match.group(1), *parts_of(code[match.end(): at - 1])


def check_cpp(name, source):
    """Yields (line, message) for one C++ file."""
    folder = name.split("/")[0]
    if not source.startswith("//"):
        yield 1, "the first line must say the file's purpose"
    length = source.count("\n")
    if folder in LAYERS and length > LONGEST_FILE:
        yield LONGEST_FILE, f"{length} lines: split it by what it is about (at most {LONGEST_FILE})"
    if folder in LAYERS:
        for line, lines in functions(source):
            if lines > LONGEST_FUNCTION:
                yield line, f"a function of {lines} lines: split it (at most {LONGEST_FUNCTION})"
    for line, one, functions_there, members_there in classes(source) if folder in LAYERS else ():
        if one not in LARGE_CLASSES and functions_there > MOST_FUNCTIONS:
            yield line, f"class {one} has {functions_there} functions: give it parts that own what they change (at most {MOST_FUNCTIONS})"
        if one not in LARGE_CLASSES and members_there > MOST_MEMBERS:
            yield line, f"class {one} has {members_there} members: give it parts that own what they change (at most {MOST_MEMBERS})"
    for line, target in includes(source):
        if folder in ("core", "policy") and PURE.fullmatch(target):
            yield line, f"{folder}/ is pure: {target} is not for it"
        wanted = target.strip('"').split("/")[0]
        if folder in LAYERS and wanted in LAYERS and LAYERS.index(wanted) > LAYERS.index(folder):
            yield line, f"{folder}/ may not use {wanted}/"
    if any(room.startswith(folder + "/") for room in ROOMS):
        yield from check_room(name, source)
    if name.startswith(("tests/unit/", "tests/integration/", "tests/property/")) and "TEST_CASE" in source:
        if name.endswith(".cpp") and not name.endswith("_test.cpp"):
            yield 1, "a file of tests ends in _test.cpp"
    for match in UNNAMED_FAILURE.finditer(code_only(source)):
        yield line_of(source, match.start()), "build a failure by name: failure::permanent or failure::passing"
    for match in DANGLING_FOR.finditer(code_only(source)):
        yield line_of(source, match.start()), "a range-for over a part of a temporary dangles: name the temporary first"
    if folder in LAYERS:
        for pattern, owners, instead in READERS:
            for match in pattern.finditer(code_only(source)) if name not in owners else ():
                line = line_of(source, match.start())
                if not KERNEL_FILE.search(source.split("\n")[line - 1]):
                    yield line, f"call {instead}"
    if folder == "tests":
        for match in SLEEP.finditer(code_only(source)):
            yield line_of(source, match.start()), f"{match.group(0)}: wait for what is meant, not for time"


def check(name, source):
    if name.endswith((".cpp", ".hpp")):
        yield from check_cpp(name, source)
    if name.endswith("package-lock.json") and '"resolved"' in source:
        yield line_of(source, source.index('"resolved"')), "a lock file names no registry: npm config omit-lockfile-registry-resolved"
    for match in LEFTOVER.finditer(source):
        yield line_of(source, match.start()), f"{match.group(0)}: finish it or file it"


def check_entries(sources, model):
    """Yields (file, message): who reads foreign things and stands not in the threat model's table, and the other way round."""
    table = model.partition(ENTRY_TABLE)[2].partition("\n## ")[0]
    named = set(re.findall(r"`((?:core|policy|conf|proxy)/[\w/]+\.cpp)`", table))
    readers = {
        name for name, source in sources.items()
        if name.split("/")[0] in LAYERS and name not in READER_FILES and name.endswith(".cpp") and READER_CALL.search(code_only(source))
    }
    for name in sorted(readers - named):
        yield name, f'reads what comes from outside: say so in docs/threat-model.md, "{ENTRY_TABLE[3:]}"'
    for name in sorted(named - readers):
        yield "docs/threat-model.md", f"{name} reads nothing from outside (any more)"


def anchors(text):
    """What GitHub makes of a page's headings."""
    found = set()
    for heading in re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
        found.add(plain.replace(" ", "-"))
    return found


def check_links(name, source, exists, read):
    """Yields (line, message) of a page's links inside this tree that lead nowhere."""
    prose = re.sub(r"^```.*?^```", lambda m: "\n" * m.group(0).count("\n"), source, flags=re.MULTILINE | re.DOTALL)
    for match in re.finditer(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", prose):
        target, _, anchor = (match.group(1) or match.group(2)).partition("#")
        if "://" in target:
            continue
        page = posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) if target else name
        if not exists(page):
            yield line_of(prose, match.start()), f"the link leads to {page}, which is not there"
        elif anchor and page.endswith(".md") and anchor not in anchors(read(page)):
            yield line_of(prose, match.start()), f"{page} has no heading #{anchor}"


def main():
    bad = 0
    sources = {
        name: (ROOT / name).read_text(encoding="utf-8") for name in files() if name.endswith((".cpp", "docs/threat-model.md"))
    }
    for name, message in check_entries(sources, sources["docs/threat-model.md"]):
        print(f"{name}:1: {message}")
        bad += 1
    for name in files():
        if not name.endswith((".cpp", ".hpp", ".mjs", ".py", ".sh", ".yaml", ".md", ".txt", "package-lock.json")):
            continue
        source = (ROOT / name).read_text(encoding="utf-8")
        problems = list(check(name, source))
        if name.endswith(".md"):
            problems += check_links(name, source, lambda p: (ROOT / p).exists(), lambda p: (ROOT / p).read_text(encoding="utf-8"))
        for line, message in problems:
            print(f"{name}:{line}: {message}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
