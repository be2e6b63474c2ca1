#!/usr/bin/env bash
# Runs the adapters of clients/examples/adapters in the packages that they are for,
# against a real server:
#
#   tests/clients/adapters.sh [BUILD_DIR]   default build/release
#
# ADAPTERS says which. Each package has a virtual environment of its own: some
# 2 GB the first time.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build/release}")
work=$PWD/build/adapters
mkdir -p "$work"
# shellcheck source=tests/deploy/tools.sh
. tests/deploy/tools.sh
# shellcheck source=tests/clients/wheel.sh
. tests/clients/wheel.sh
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests:tests/golden/generators
for adapter in ${ADAPTERS:-langchain haystack presidio nemo_guardrails}; do
  echo "== $adapter"
  need_python "tests/clients/adapters/${adapter}_requirements.txt" "venv-$adapter"
  install_wheel "$python" "$work"
  "$python" "tests/clients/adapters/${adapter}_test.py" "$build" "$work"
done
