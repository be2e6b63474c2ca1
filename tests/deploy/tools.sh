# shellcheck shell=bash
# What the tests of deploy/ run, kept between runs outside the tree. Sourced.
#
# DEBERTA_TEST_CACHE says where; each function puts its programs on PATH.

cache=${DEBERTA_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/deberta-serve}
mkdir -p "$cache/bin"
PATH=$cache/bin:$PATH

# need_python REQUIREMENTS NAME: sets $python to that of a virtual environment
# which follows REQUIREMENTS.
need_python() {
  local venv=$cache/$2
  if ! cmp -s "$1" "$venv/installed.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check -r "$1"
    cp "$1" "$venv/installed.txt"
  fi
  # shellcheck disable=SC2034  # the caller's
  python=$venv/bin/python
}

# need_go PROGRAM MODULE@VERSION: builds it once; minutes for helm.
need_go() {
  command -v "$1" >/dev/null && return
  echo "building $1"
  GOBIN=$cache/bin GOFLAGS=-p=${GO_JOBS:-1} nice -n 19 go install "$2"
}

# Prometheus and promtool from Debian's packages, unpacked and not installed, as
# installing would start a Prometheus on port 9090.
need_prometheus() {
  command -v prometheus >/dev/null && command -v promtool >/dev/null && return
  local unpacked=$cache/prometheus
  rm -rf "$unpacked"
  mkdir "$unpacked"
  # Debian 13 has promtool in a package of its own.
  (cd "$unpacked" || exit
   apt-get -q download prometheus
   apt-get -q download promtool || true
   for package in *.deb; do dpkg -x "$package" .; done) >/dev/null 2>&1
  mv "$unpacked"/usr/bin/prom* "$cache/bin/"
  rm -rf "$unpacked"
  command -v prometheus >/dev/null && command -v promtool >/dev/null
}

# module_folder MODULE@VERSION: where the files of a Go module lie, downloaded if
# they are not there yet.
module_folder() {
  (cd "$cache" && go mod download -json "$1") | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}

# await PID LOG PATTERN: until PATTERN is in LOG, which was emptied before PID began;
# ends the script if PID ends first.
await() {
  until grep -q "$3" "$2"; do
    kill -0 "$1" 2>/dev/null || { cat "$2" >&2; exit 1; }
    sleep 0.1
  done
}

# serve BUILD LOG FLAG...: starts a server on a free port; sets $server to its id
# and $port.
serve() {
  : >"$2"
  "$1/deberta-server" --listen=127.0.0.1:0 --metrics_listen= "${@:3}" >"$2" 2>&1 &
  server=$!
  await "$server" "$2" '"serving"'
  # shellcheck disable=SC2034  # the caller's
  port=$(sed -n 's/.*"grpc_port":\([0-9]*\).*/\1/p' "$2")
}
