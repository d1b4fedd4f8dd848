# The bookkeeping of ./dev test: each stage's output goes to build/logs, one line per stage to the screen. Sourced by ./dev.

passed=0 failed=0

# stage NAME COMMAND… runs the command and adds up the tests that its output counts (see count_log); a stage that
# counts none is one test.
stage() {
  local name=$1 started=$SECONDS status=0
  shift
  mkdir -p "$logs"
  ("$@") >"$logs/$name.log" 2>&1 </dev/null || status=$?
  local p=0 f=0
  read -r p f < <(count_log "$logs/$name.log")
  if [ $((p + f)) = 0 ]; then
    if [ $status = 0 ]; then p=1; else f=1; fi
  elif [ $status != 0 ] && [ "$f" = 0 ]; then
    f=1
  fi
  passed=$((passed + p)) failed=$((failed + f))
  local word=ok
  [ "$status" = 0 ] && [ "$f" = 0 ] || word=FAILED
  printf '%-7s %-14s %5d ok %3d failed %5d s  %s\n' "$word" "$name" "$p" "$f" $((SECONDS - started)) "$logs/$name.log"
  [ "$word" = ok ] || { tail -n 60 "$logs/$name.log" | sed 's/^/    | /'; return 1; }
}

# Prints "PASSED FAILED", summed over the closing lines of Catch2, node's test runner and our own runners.
count_log() {
  awk '
    /^All tests passed \(/ { match($0, /in [0-9]+ test case/); p += substr($0, RSTART + 3) + 0 }
    /^test cases:/ {
      n = split($0, part, "|")
      for (i = 1; i <= n; i++) {
        if (part[i] ~ /failed as expected/) p += part[i] + 0
        else if (part[i] ~ /passed/) p += part[i] + 0
        else if (part[i] ~ /failed/) f += part[i] + 0
      }
    }
    /^(ℹ|#) pass [0-9]+$/ { p += $3 }
    /^(ℹ|#) (fail|cancelled) [0-9]+$/ { f += $3 }
    /^COUNT [0-9]+ passed, [0-9]+ failed$/ { p += $2; f += $4 }
    END { print p + 0, f + 0 }' "$1"
}

# The plain closing line; the exit status says the same.
summary() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
