#!/usr/bin/env bash
# Builds everything with warnings as errors and runs the whole test suite.
#
#   tests/run.sh                unit and golden tests, then the end-to-end test
#   tests/run.sh --sanitizers   also ctest under ASan + UBSan and under TSan
#   tests/run.sh --image        also builds the container image and asks it
#
# For Debian 12 and 13, as root or with sudo (only to install what is missing).
# BUILD_JOBS bounds the parallel compiler runs. See tests/README.md.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

sanitizers=no
image=no
for argument in "$@"; do
  case "$argument" in
    --sanitizers) sanitizers=yes ;;
    --image) image=yes ;;
    *) echo "usage: $0 [--sanitizers] [--image]" >&2; exit 2 ;;
  esac
done
jobs=${BUILD_JOBS:-$(nproc)}
summary=()
failures=0
start=$SECONDS

# phase NAME COMMAND...: runs a phase; later ones still run if it fails.
phase() {
  local name=$1 begin=$SECONDS outcome=Passed
  shift
  printf '\n==== %s\n' "$name"
  if ! "$@" </dev/null; then
    outcome='***Failed'
    failures=$((failures + 1))
  fi
  summary+=("$(printf '%-34s %-10s %5d s' "$name" "$outcome" \
                 $((SECONDS - begin)))")
  [ "$outcome" = Passed ]
}

finish() {
  printf '\n'
  printf '%s\n' "${summary[@]}"
  printf '\n%d of %d phases failed, %d s in all\n' "$failures" \
    "${#summary[@]}" $((SECONDS - start))
  [ "$failures" -eq 0 ]
  exit
}

build() {
  cmake --preset "$1" >/dev/null && cmake --build --preset "$1" -j "$jobs"
}

run_ctest() { ctest --preset "$1" -j "$jobs"; }

sanitized_ctest() {
  ASAN_OPTIONS=detect_stack_use_after_return=1 \
  UBSAN_OPTIONS=print_stacktrace=1 \
  TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp history_size=4" \
    run_ctest "$1"
}

phase "install what is missing" deploy/install-dependencies.sh --tests || finish
phase "build release" build release || finish
phase "ctest release" run_ctest release
phase "end to end" tests/e2e/run.sh build/release
if [ "$sanitizers" = yes ]; then
  for preset in asan-ubsan tsan; do
    phase "build $preset" build "$preset" &&
      phase "ctest $preset" sanitized_ctest "$preset"
  done
fi
[ "$image" = yes ] && phase "container image" tests/e2e/image_test.sh
finish
