#!/usr/bin/env bash
# Builds everything with warnings as errors and runs the whole test suite.
#
#   tests/run.sh                unit and golden tests and the end-to-end test; the
#                               tests of the scheduler's threads under TSan; all
#                               programs by clang with its thread-safety analysis,
#                               and the fuzzers and tests of bytes by its ASan and
#                               UBSan
#   tests/run.sh --release      the first two alone
#   tests/run.sh --sanitizers   all of ctest under both sanitizers, and a server
#                               under ASan and UBSan that is attacked
#   tests/run.sh --image        also builds the container image and asks it
#   tests/run.sh --cluster      also the chart on the Kubernetes that KUBECONFIG names
#                               (tests/README.md says what it needs)
#   tests/run.sh --all          all of these, the examples in other languages and in
#                               other packages, the documentation's commands, the
#                               HTTP gateway and the Helm chart by their real tools
#
# For Debian 12 and 13, as root or with sudo (only to install what is missing).
# BUILD_JOBS bounds the parallel compiler runs; ccache is used where it is
# installed. See tests/README.md.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

checks=some
image=no
cluster=no
deploy=()
for argument in "$@"; do
  case "$argument" in
    --release) checks=none ;;
    --sanitizers) checks=all ;;
    --image) image=yes ;;
    --cluster) cluster=yes ;;
    --all) checks=all image=yes deploy=(--all) ;;
    *) echo "usage: $0 [--release|--sanitizers] [--image] [--cluster] [--all]" >&2; exit 2 ;;
  esac
done
programs=(deberta-server deberta-client deberta-convert deberta-bench)
byte_tests=(checkpoint_test client_test convert_test files_test json_test net_test
            rpc_test security_test tokenizer_golden_test tokenizer_test
            tracing_test
            config_fuzz label_config_fuzz rpc_fuzz safetensors_fuzz spm_model_fuzz
            tf_weight_names_fuzz tokenizer_fuzz tokenizer_json_fuzz torch_fuzz
            vocab_merges_fuzz vocab_txt_fuzz zip_fuzz)
thread_tests=(base_test batching_test scheduler_test thread_pool_test thrown_test)
jobs=${BUILD_JOBS:-$(nproc)}
if command -v ccache >/dev/null; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
export ASAN_OPTIONS=detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp history_size=4"
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

# build PRESET [TARGET...]: all targets, if none is named.
build() {
  local preset=$1
  shift
  cmake --preset "$preset" >/dev/null &&
    cmake --build --preset "$preset" -j "$jobs" ${*:+--target "$@"}
}

run_ctest() { ctest --preset "$1" -j "$jobs" "${@:2}"; }

# sanitized PRESET [TEST...]: builds and runs all of ctest, or these of it.
sanitized() {
  local preset=$1 only=()
  shift
  [ $# -gt 0 ] && only=(--no-tests=error -R "^($(IFS='|'; echo "$*"))(_|\$)")
  phase "build $preset" build "$preset" "$@" || return
  phase "ctest $preset" run_ctest "$preset" "${only[@]}"
}

phase "install what is missing" deploy/install-dependencies.sh --tests || finish
# The headers of newer Abseils poison memory that the system's library, which is not
# sanitized, does not know of.
pkg-config --atleast-version=20230802 absl_base &&
  ASAN_OPTIONS+=:allow_user_poisoning=0
phase "build release" build release || finish
phase "ctest release" run_ctest release
phase "end to end" tests/e2e/run.sh build/release
phase "contract" tests/proto/run.sh
phase "clients" tests/clients/run.sh build/release
phase "inference protocol" tests/inference/run.sh build/release
case $checks in
  some)
    sanitized tsan "${thread_tests[@]}"
    phase "build asan programs" build asan "${programs[@]}"
    sanitized asan "${byte_tests[@]}"
    ;;
  all)
    sanitized tsan
    sanitized asan
    phase "attacks asan" tests/e2e/run.sh build/asan connections_test frames_test \
      messages_test
    ;;
esac
if [ "${#deploy[@]}" -gt 0 ]; then
  phase "client examples" tests/clients/examples.sh build/release
  phase "spark and ray" tests/clients/engines.sh build/release
  phase "adapters" tests/clients/adapters.sh build/release
  phase "docs" tests/docs/run.sh build/release
  phase "gateway" tests/gateway/run.sh build/release
  phase "page" tests/gateway/page_test.py --build build/release --out build/page
  phase "deploy" tests/deploy/run.sh build/release "${deploy[@]}"
fi
[ "$image" = yes ] && phase "container image" tests/e2e/image_test.sh
[ "$cluster" = yes ] && phase "cluster" tests/deploy/run.sh build/release --cluster
finish
