#!/usr/bin/env bash
# Builds the server, serves the demo models and asks one question of each task.
#
#   deploy/quickstart.sh          serves until Ctrl-C
#   deploy/quickstart.sh --once   stops after the answers
#
# For Debian 12 and 13, as root or with sudo (only to install what is missing).
# Listens on 127.0.0.1 alone; GRPC_PORT and METRICS_PORT choose other ports than
# 50051 and 9090.
set -euo pipefail
cd "$(dirname "$0")/.."

once=no
case "${1:-}" in
  '') ;;
  --once) once=yes ;;
  *) echo "usage: $0 [--once]" >&2; exit 2 ;;
esac
grpc=127.0.0.1:${GRPC_PORT:-50051}
metrics=127.0.0.1:${METRICS_PORT:-9090}
start_seconds=120  # longest wait for the models to load

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

say "Installing what is missing"
deploy/install-dependencies.sh

say "Building build/release"
log=$(mktemp)
server=
# shellcheck disable=SC2329  # called by the trap
stop() {
  if [ -n "$server" ]; then
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -f "$log"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cmake --preset release >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
# On a terminal ninja shows its progress, elsewhere only what went wrong.
if [ -t 1 ]; then
  cmake --build --preset release --target deberta-server deberta-client
else
  cmake --build --preset release --target deberta-server deberta-client \
    >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
fi

say "Starting the server"
models=$(find demo -mindepth 2 -maxdepth 2 -name model.safetensors -printf '%h\n' |
         sort | paste -sd,)
build/release/deberta-server --models="$models" --listen="$grpc" \
  --metrics_listen="$metrics" >"$log" 2>&1 &
server=$!

client() { build/release/deberta-client --server="$grpc" "$@"; }

deadline=$((SECONDS + start_seconds))
until client models --deadline_ms=2000 >/dev/null 2>&1; do
  if ! kill -0 "$server" 2>/dev/null; then
    server=
    cat "$log" >&2
    echo "quickstart: the server did not start" >&2
    exit 1
  fi
  if [ "$SECONDS" -ge "$deadline" ]; then
    cat "$log" >&2
    echo "quickstart: the server is not ready after $start_seconds s" >&2
    exit 1
  fi
  sleep 0.2
done

say "Which section of the Debian archive does a package belong to? (Classify)"
client classify --model=section-classifier --top_k=3 \
  "SuperTux is a classic 2D jump 'n run sidescroller game in a similar style
like the original SuperMario games."

say "Which languages, protocols and toolkits does a description name? (TagTokens)"
client tag \
  "This is a library for accessing LDAP with a convenient Qt style C++ API."

say "Who maintains qpdf, by its package record? (AnswerQuestion)"
client answer --question="Who maintains qpdf?" \
  "Package: qpdf
Version: 11.3.0-1+deb12u1
Section: text
Maintainer: Jay Berkenbilt <qjb@debian.org>
Homepage: https://qpdf.sourceforge.io
Description: tools for transforming and inspecting PDF files"

say "Where are names of kinds that you choose? (ExtractEntities)"
client extract --labels="mail protocol,programming language" \
  "Fetches mail over IMAP, written in Rust."

say "Which word is missing? (FillMask)"
client fill --top_k=3 \
  "QPDF is a program to encrypt and inspect PDF [MASK] from the command line."

say "gRPC on $grpc, metrics on http://$metrics/metrics"
[ "$once" = yes ] && exit 0
echo "Ask more with build/release/deberta-client; Ctrl-C stops the server."
wait "$server"
