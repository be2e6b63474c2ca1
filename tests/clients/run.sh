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
# shellcheck source=tests/clients/wheel.sh
. tests/clients/wheel.sh
need_python $here/requirements.txt venv-clients

echo "== wheel"
install_wheel "$python" "$work"

echo "== types"
(cd clients/python && "$python" -m mypy --cache-dir "$work/mypy" --no-error-summary)

echo "== client"
export PYTHONDONTWRITEBYTECODE=1
"$python" $here/retry_test.py
"$python" $here/names_test.py
"$python" $here/bulk_flow_test.py
export PYTHONPATH=tests/e2e:tests/golden/generators:tests
"$python" $here/python_client_test.py "$build" "$work"
"$python" $here/entities_client_test.py "$build" "$work"

echo "== bulk"
"$python" $here/bulk_test.py "$build" "$work"
"$python" $here/bulk_restart_test.py "$build" "$work"
