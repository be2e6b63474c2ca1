#!/usr/bin/env bash
# deberta-bench as tests/load/compare_peers.py drives it: shapes come line by
# line, each is answered at once, and a line that is no shape ends it.
#   lines_test.sh DEBERTA_BENCH MODEL_DIRECTORY
set -eu
bench() { "$1" --model="$2" --shapes=- --json --threads=1 --seconds=0 --max_isa="$3"; }

for isa in amx avx512 avx2 baseline; do
  coproc BENCH { bench "$1" "$2" "$isa"; }
  pid=$BENCH_PID to=${BENCH[1]} from=${BENCH[0]}
  for shape in 1x4 1x4 lengths:3+2; do
    echo "$shape" >&"$to"
    read -r answer <&"$from"
    case $answer in
      *'"runs":1,'*'"first_logits":['*) ;;
      *) echo "$isa, $shape: $answer"; exit 1 ;;
    esac
  done
  exec {to}>&-
  wait "$pid"
done

if printf '1x4\nnonsense\n' | bench "$1" "$2" avx512 >/dev/null 2>&1; then
  echo "nonsense was taken for a shape"
  exit 1
fi
