#!/usr/bin/env bash
# Asks a server through the Open Inference Protocol by the clients that people
# have, tritonclient and kserve:
#
#   tests/inference/run.sh [BUILD_DIR]   default build/release
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build/release}")
here=tests/inference
# shellcheck source=tests/deploy/tools.sh
. tests/deploy/tools.sh
need_python $here/requirements.txt venv-inference

# The two clients have messages of the same names, so each its own process.
for client in triton kserve; do
  PYTHONDONTWRITEBYTECODE=1 "$python" $here/${client}_test.py --build "$build"
done
