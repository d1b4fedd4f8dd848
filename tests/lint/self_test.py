"""Shows that the lints find what they must and leave alone what is fine."""

import sys

import pathlib
import shutil
import tempfile

import coroutine_lint
import fleet_lint
import house_lint

GOOD = [
    "co_await f();",
    "auto x = co_await f(a, b);",
    "x = co_await f();",
    "this->x_ = co_await f();",
    "auto [a, b] = co_await f();",
    "const result<int>& r = co_await f();",
    "result<std::pair<int, std::string>> r = co_await f(v[0], g<int>(1));",
    "co_return co_await f();",
    "(void)co_await f();",
    "if (a)\n    co_await f();\nelse\n    x = co_await g();",
    "for (auto& v : list) { co_await f(v); }",
    "for (;;)\n    co_await f();",
    "switch (k) { case kind::a: co_await f(); break; default: co_await g(); }",
    "auto run = [](int v) -> task<> { co_await f(v); };\nspawn(run);",
    "spawn([]() -> task<> { auto x = co_await f(); use(x); });",
    "co_await std::move(request);",
    "co_await (a() || b());",
    "auto n = 1'000'000; co_await f();",
    '// co_await in a comment, if (co_await x)\nauto s = "if (co_await f())"; co_await f();',
    'auto s = R"x(if (co_await f()) {)x"; co_await f();',
    "x = y; } co_await f();",
]
BAD = [
    "if (co_await f()) g();",
    "while (!co_await f()) {}",
    "switch (co_await f()) {}",
    "for (auto& v : co_await f()) {}",
    "g(co_await f());",
    "auto x = (co_await f()).value();",
    "auto x = agg{1, co_await f()};",
    "agg x{co_await f()};",
    "auto x = a ? co_await f() : co_await g();",
    "auto x = co_await f() ? 1 : 2;",
    "auto ok = co_await f() && g();",
    "auto x = co_await f() + co_await g();",
    "x += co_await f();",
    "return co_await f();",
    "co_await f([&] { return 1; });",
    "co_await f(a, [](int) {});",
    "auto r = co_await fetch{request};",
    "co_await f({1, 2});",
    "co_await f(co_await g());",
    "co_await f(a ? b : c());",
    "REQUIRE(co_await f());",
]
HOUSE_BAD = [
    ("core/text/x.cpp", "// p\n#include <boost/asio/post.hpp>\n"),
    ("policy/life/x.hpp", "// p\n#include <mutex>\n"),
    ("core/text/x.hpp", '// p\n#include "policy/flows/flow.hpp"\n'),
    ("conf/x.hpp", '// p\n#include "proxy/net/task.hpp"\n'),
    ("tests/unit/x.cpp", "// p\nvoid f() { std::this_thread::sleep_for(1s); }\n"),
    ("proxy/net/x.cpp", "// p\n" * 321),
    ("proxy/net/x.hpp", "#pragma once\n"),
    ("tests/x.cpp", "int x;\n"),
    ("core/text/x.cpp", "// p\nnamespace a {\nint f(int i) {\n" + "    ++i;\n" * 79 + "    return i;\n}\n}\n"),
    ("core/text/x.cpp", "// p\nstruct s {\n    s() : a_{1} {\n" + "        f({1, 2});\n" * 80 + "    }\n};\n"),
    ("core/text/x.cpp", "// p\nauto f = [](int i) {\n" + "    if (i) { ++i; }\n" * 80 + "};\n"),
    ("proxy/net/x.cpp", "// p\n// TO" "DO later\n"),
    ("tests/x.cpp", '// p\nvoid f() { for (const auto& a : api.get("x", y())["list"]) g(a); }\n'),
    ("proxy/net/x.cpp", "// p\nvoid f() { for (auto& a : load(x).value()) g(a); }\n"),
    ("proxy/net/x.cpp", "// p\nvoid f() { for (auto& a : load().parts) g(a); }\n"),
    ("proxy/net/x.hpp", "// p\n#pragma once\nclass c {\n" + "".join(f"    int f{i}(int a) const;\n" for i in range(31)) + "};\n"),
    ("proxy/net/x.hpp", "// p\n#pragma once\nclass c final : public d {\n    int a_ = 0, b_;\n" + "".join(f"    std::map<int, int> m{i}_{{1, 2}};\n" for i in range(14)) + "};\n"),
    ("proxy/x.cpp", "// p\n"),
    ("core/x.cpp", "// p\n"),
    ("core/text/x.hpp", '// p\n#include "core/oauth/scope.hpp"\n'),
    ("policy/rules/x.hpp", '// p\n#include "policy/life/approval.hpp"\n'),
    ("proxy/nowhere/x.cpp", "// p\n"),
    ("core/text/x.cpp", '// p\nfailure f() { return {fault::internal, "a, b", {}, {}, false}; }\n'),
    ("proxy/vault/x.cpp", '// p\n#include "proxy/relay/worker.hpp"\n'),
    ("proxy/relay/x.cpp", '// p\n#include "proxy/demo/demo.hpp"\n'),
    ("proxy/relay/x.hpp", "// p\n#include <boost/beast/http.hpp>\n"),
    ("tests/unit/core/x.cpp", '// p\nTEST_CASE("a") {}\n'),
    ("tests/e2e/package-lock.json", '{"resolved": "https://somewhere/x.tgz"}'),
]
HOUSE_BAD += [
    ("proxy/net/x.cpp", "// p\nvoid f() { auto a = nlohmann::json::parse(text, nullptr, false); }\n"),
    ("core/text/x.cpp", "// p\nvoid f() { era_json::accept(text); }\n"),
    ("policy/life/x.cpp", "// p\nvoid f() { json::sax_parse(text, &r); }\n"),
    ("proxy/log/x.cpp", "// p\nvoid f() { out << value.dump(2); }\n"),
    ("proxy/cli/x.cpp", "// p\nvoid f() { std::ifstream in(path); }\n"),
    ("proxy/cli/x.cpp", "// p\nvoid f() { int fd = ::open(path, O_RDONLY | O_CLOEXEC); }\n"),
    ("proxy/service/x.cpp", "// p\nvoid f() { std::filesystem::create_directories(path); }\n"),
]
HOUSE_GOOD = [
    ("proxy/net/x.hpp", "// p\n#pragma once\nclass c {\n    c(const c&) = delete;\n" + "".join(f"    int f{i}() const {{ return 1; }}\n" for i in range(40)) + "    enum class e { a, b, c };\n" + "".join(f"    int m{i}_ = f(1, 2);\n" for i in range(15)) + "};\n"),
    ("core/text/x.cpp", "// p\nvoid f() { auto a = read_json(text); json_text(*a); url::parse(x); }\n"),
    ("proxy/cli/x.cpp", '// p\nvoid f() { std::ifstream in("/proc/self/stat"); }\n'),
    ("tests/unit/x_test.cpp", "// p\nvoid f() { json::parse(text); }\n"),
    ("core/text/x.cpp", '// p\n#include <string>\n#include "core/text/uri.hpp"\n'),
    ("proxy/net/x.cpp", '// p\n#include <thread>\n#include "policy/flows/flow.hpp"\n'),
    ("tests/unit/x.cpp", "// p\n// no sleep_for here\n"),
    ("tests/unit/core/x_test.cpp", '// p\nTEST_CASE("a") {}\n'),
    ("proxy/recovery/x.cpp", '// p\n#include "proxy/relay/routing.hpp"\n#include "proxy/recovery/work.hpp"\n'),
    ("proxy/vault/x.cpp", "// p\n#include <sqlite3.h>\n"),
    ("core/text/x.cpp", "// p\nnamespace a {\nclass c final : public d<int> {\n" + "    int f() { return 1; }\n" * 100 + "};\nint g() {\n" + "    f();\n" * 78 + "}\n}\n"),
    ("core/text/x.cpp", "// p\nconst std::map<int, int> table = {\n" + "    {f(1), 2},\n" * 100 + "};\n"),
    ("proxy/net/x.cpp", "// p\nvoid f() { for (auto& a : list()) g(a); for (auto& b : held.parts) g(b); for (int i : v[0]) g(i); }\n"),
]

# a part of conf/fleet, what it is replaced by, and what must be said then
FLEET_BAD = [
    ("compose.yaml", "condition: service_healthy", "condition: service_healthy}, nobody: {condition: service_started", "depends on nobody"),
    ("compose.yaml", "secrets: [postgres.dsn, ", "secrets: [", "lacks the secrets"),
    ("compose.yaml", "./haproxy.cfg:", "./other.cfg:", "which is not there"),
    ("compose.yaml", "replica-c: *replica", "replica-d: *replica", "replica-c is no service"),
    ("kubernetes.yaml", "targetPort: persons", "targetPort: people", "leads to people"),
    ("kubernetes.yaml", "apiVersion: policy/v1", "apiVersion: policy/v1beta1", "policy/v1beta1"),
    ("kubernetes.yaml", "configMap: {name: mcp-reauth-config}", "configMap: {name: other}", "the ConfigMap other"),
    ("kubernetes.yaml", "template:\n    metadata: {labels: {app: mcp-reauth}}", "template:\n    metadata: {labels: {app: other}}", "does not match its pods"),
    ("kubernetes.yaml", "lifetime", "lifetime", ""),
    ("mcp-reauth.yaml", "open_browser: never", "open_browser: auto", "differs from mcp-reauth.yaml"),
]


def fleet_wrong():
    for name, old, new, said in FLEET_BAD:
        with tempfile.TemporaryDirectory() as scratch:
            copy = pathlib.Path(scratch) / "conf/fleet"
            shutil.copytree(fleet_lint.ROOT / "conf/fleet", copy)
            text = (copy / name).read_text()
            (copy / name).write_text(text.replace(old, new))
            found = list(fleet_lint.problems(copy))
            if bool(said) != any(said in problem for problem in found) and (said or found):
                yield f"fleet lint: {name} with {new!r}: {found}"


def main():
    wrong = []
    for sample in GOOD:
        wrong += [f"must be allowed, but is: {m}\n{sample}" for _, m in coroutine_lint.check("{ " + sample + " }")]
    for sample in BAD:
        if not list(coroutine_lint.check("{ " + sample + " }")):
            wrong.append(f"must be refused:\n{sample}")
    for name, source in HOUSE_BAD:
        if not list(house_lint.check(name, source)):
            wrong.append(f"must be refused: {name}\n{source}")
    for name, source in HOUSE_GOOD:
        wrong += [f"must be allowed, but is: {m}\n{name}\n{source}" for _, m in house_lint.check(name, source)]
    wrong += fleet_wrong()
    model = house_lint.ENTRY_TABLE + "\n| a | `core/a.cpp` `core/gone.cpp` |\n"
    entries = {"core/a.cpp": "read_json(x);", "core/b.cpp": "read_json<era_json>(x);", "core/gone.cpp": "", "tests/c.cpp": "read_json(x);"}
    if [name for name, _ in house_lint.check_entries(entries, model)] != ["core/b.cpp", "docs/threat-model.md"]:
        wrong.append(f"the table of entries: {list(house_lint.check_entries(entries, model))}")
    pages = {"docs/a.md": "# Some thing: `x`\n[ok](b.md#two-words)\n[own](#some-thing-x)\n[gone](c.md)\n[no](b.md#three)\n", "docs/b.md": "## Two words\n"}
    found = [line for line, _ in house_lint.check_links("docs/a.md", pages["docs/a.md"], pages.__contains__, pages.__getitem__)]
    if found != [4, 5]:
        wrong.append(f"links that lead nowhere: lines {found}")
    for text in wrong:
        print(text)
    samples = len(GOOD) + len(BAD) + len(HOUSE_BAD) + len(HOUSE_GOOD) + len(FLEET_BAD)
    print(f"lint self-test: {samples - len(wrong)} of {samples} samples as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
