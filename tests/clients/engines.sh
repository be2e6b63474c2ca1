#!/usr/bin/env bash
# Runs the recipes for Spark and Ray Data on their local engines, against two
# servers of which one is killed and comes back:
#
#   tests/clients/engines.sh [BUILD_DIR]    default build/release
#
# ROWS says of how many rows (default 20000; a million take a quarter of an hour of
# two CPUs, longer where others use them), ENGINES which ("spark ray"). Spark needs
# Java 17 or newer.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build/release}")
work=$PWD/build/engines
mkdir -p "$work"
# shellcheck source=tests/deploy/tools.sh
. tests/deploy/tools.sh
# shellcheck source=tests/clients/wheel.sh
. tests/clients/wheel.sh
if ! command -v java >/dev/null; then
  # shellcheck disable=SC2046  # nothing where this is root
  $([ "$(id -u)" -eq 0 ] || echo sudo) apt-get install -y -q \
    --no-install-recommends default-jre-headless >/dev/null
fi
need_python tests/clients/engine_requirements.txt venv-engines
install_wheel "$python" "$work"
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/e2e:tests/clients:tests
export PYSPARK_PYTHON=$python PYSPARK_DRIVER_PYTHON=$python SPARK_LOCAL_IP=127.0.0.1
export RAY_USAGE_STATS_ENABLED=0
for engine in ${ENGINES:-spark ray}; do
  "$python" tests/clients/engines_test.py "$build" "$work" "$engine" "${ROWS:-20000}"
done
