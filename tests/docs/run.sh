#!/usr/bin/env bash
# Makes the site of docs/ in build/site, holds the pages that are generated against
# the program and the proto, and runs the commands of the pages that say so:
#
#   tests/docs/run.sh [BUILD_DIR]    default build/release
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build/release}")
work=$PWD/build/docs
mkdir -p "$work"
# shellcheck source=tests/deploy/tools.sh
. tests/deploy/tools.sh
# shellcheck source=tests/clients/wheel.sh
. tests/clients/wheel.sh
need_python tests/docs/requirements.txt venv-docs
export PYTHONDONTWRITEBYTECODE=1

echo "== generated pages"
"$python" tools/docs/write_reference.py "$build" --check

echo "== site"
NO_MKDOCS_2_WARNING=1 "$python" -m mkdocs -q build --clean --strict
# Nothing is asked of other servers.
if grep -rlE '(src|href)="https?://[^"]*\.(js|css|woff2?)"' build/site; then
  echo "the site asks other servers" >&2
  exit 1
fi

echo "== commands"
install_wheel "$python" "$work"
"$python" tests/docs/pages_test.py "$build" "$work/pages"
