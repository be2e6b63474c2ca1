#!/usr/bin/env bash
# Draws docs/images/dashboard.png: the dashboard's panels by their own queries, of a
# real Prometheus that scrapes a real server under mixed load.
#
#   tests/deploy/picture.sh [BUILD_DIR]     default build/release
#
# SECONDS_OF_LOAD says for how long (default 300).
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build/release}
# shellcheck source=tests/deploy/tools.sh
. tests/deploy/tools.sh
need_python tests/deploy/picture_requirements.txt venv-picture
need_prometheus
mkdir -p docs/images
PYTHONDONTWRITEBYTECODE=1 "$python" tests/deploy/picture.py "$build" build/deploy \
  docs/images/dashboard.png "${SECONDS_OF_LOAD:-300}"
