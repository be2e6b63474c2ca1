#!/usr/bin/env bash
# Builds the wheel of clients/python, installs it into a virtual environment of its
# own, and asks a real server by it:
#
#   tests/clients/run.sh [BUILD_DIR]        default build/release
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build/release}")
here=tests/clients
work=$PWD/build/clients
mkdir -p "$work"
# shellcheck source=tests/deploy/tools.sh
. tests/deploy/tools.sh
need_python $here/requirements.txt venv-clients

echo "== wheel"
rm -rf "$work/wheel" "$work/source"
# A copy, as the build leaves files beside the sources.
mkdir -p "$work/source/clients"
cp -r clients/python "$work/source/clients/python"
cp -r proto "$work/source/proto"
"$python" -m pip wheel -q --disable-pip-version-check --no-deps -w "$work/wheel" \
  "$work/source/clients/python"
"$python" -m pip install -q --disable-pip-version-check --force-reinstall --no-deps \
  "$work"/wheel/*.whl
"$python" -m pip install -q --disable-pip-version-check "$work"/wheel/*.whl

echo "== types"
(cd clients/python && "$python" -m mypy --cache-dir "$work/mypy" --no-error-summary)

echo "== client"
export PYTHONDONTWRITEBYTECODE=1
"$python" $here/retry_test.py
export PYTHONPATH=tests/e2e:tests/golden/generators
"$python" $here/python_client_test.py "$build" "$work"
"$python" $here/entities_client_test.py "$build" "$work"
