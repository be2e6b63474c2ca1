#!/usr/bin/env bash
# Asks a server through the Open Inference Protocol by the clients that people
# have, tritonclient and kserve:
#
#   tests/inference/run.sh [BUILD_DIR]   default build/release
#
# Their packages go to build/inference.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build/release}")
work=$PWD/build/inference
here=tests/inference
mkdir -p "$work"

if ! cmp -s $here/requirements.txt "$work/installed.txt"; then
  rm -rf "$work/venv" "$work/installed.txt"
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install -q --disable-pip-version-check \
    -r $here/requirements.txt
  cp $here/requirements.txt "$work/installed.txt"
fi

# The two clients have messages of the same names, so each its own process.
for client in triton kserve; do
  PYTHONPATH=tests/e2e PYTHONDONTWRITEBYTECODE=1 "$work/venv/bin/python" \
    $here/${client}_test.py --build "$build"
done
