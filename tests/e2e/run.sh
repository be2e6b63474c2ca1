#!/usr/bin/env bash
# Runs the end-to-end test against a build:
#
#   tests/e2e/run.sh [BUILD_DIR [TEST...]]   default build/release, all tests
#
# Its Python packages, generated stubs and tools go to build/e2e.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build/release}")
work=$PWD/build/e2e
here=tests/e2e
mkdir -p "$work/bin"

# A virtual environment that follows requirements.txt.
if ! cmp -s $here/requirements.txt "$work/installed.txt"; then
  rm -rf "$work/venv" "$work/installed.txt"
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install -q --disable-pip-version-check \
    -r $here/requirements.txt
  cp $here/requirements.txt "$work/installed.txt"
fi
python=$work/venv/bin/python

rm -rf "$work/stubs"
mkdir -p "$work/stubs"
"$python" -m grpc_tools.protoc -Iproto --python_out="$work/stubs" \
  --grpc_python_out="$work/stubs" google/rpc/status.proto \
  google/rpc/error_details.proto deberta/v1/deberta.proto \
  inference/inference.proto

# Debian 13 has promtool as a package; Debian 12 within prometheus, which is
# unpacked rather than installed, as it would start a Prometheus.
fetch_promtool() {
  local package
  rm -rf "$work/promtool"
  mkdir "$work/promtool"
  for package in promtool prometheus; do
    (cd "$work/promtool" && apt-get -q download "$package" &&
     dpkg -x "$package"_*.deb .) >/dev/null 2>&1 || continue
    [ -x "$work/promtool/usr/bin/promtool" ] && break
  done
  mv "$work/promtool/usr/bin/promtool" "$work/bin/"
  rm -rf "$work/promtool"
}
if ! command -v promtool >/dev/null && [ ! -x "$work/bin/promtool" ]; then
  echo "fetching promtool from Debian"
  fetch_promtool
fi

go_is_new_enough() {
  local version
  version=$(go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ "${version:-0}" -ge 23 ]
}
if ! command -v grpcurl >/dev/null && [ ! -x "$work/bin/grpcurl" ]; then
  if go_is_new_enough; then
    echo "building grpcurl"
    GOBIN=$work/bin go install \
      github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4 2>&1 | tail -n 5 ||
      echo "grpcurl could not be built"
  fi
fi

PATH=$work/bin:$PATH
if ! command -v grpcurl >/dev/null; then
  echo "NOTE: no grpcurl here (it needs Go 1.23 or newer). Reflection is driven" \
       "by the Python reflection client alone."
fi
export PATH PYTHONPATH=$work/stubs:tests/golden/generators:tests/attack PYTHONDONTWRITEBYTECODE=1
exec "$python" $here/end_to_end_test.py --build="$build" --work="$work" "${@:2}"
