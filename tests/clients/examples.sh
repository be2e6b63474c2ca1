#!/usr/bin/env bash
# Runs the examples of clients/examples, which know the server by its proto alone,
# against a real server:
#
#   tests/clients/examples.sh [BUILD_DIR]   default build/release
#
# Go's and Java's are built by what the Go proxy and Maven's repository have: minutes
# the first time. Java's plugin of protoc is Debian's, where GRPC_JAVA_PLUGIN does not
# name another.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build/release}")
proto=$PWD/proto
work=$PWD/build/examples
rm -rf "$work"
mkdir -p "$work/python" "$work/go"
cp -r clients/examples/node clients/examples/java "$work"
# shellcheck source=tests/deploy/tools.sh
. tests/deploy/tools.sh
need_python tests/clients/example_requirements.txt venv-examples
need_go protoc-gen-go google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.10
need_go protoc-gen-go-grpc google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.5.1

echo "== build"
"$python" -m grpc_tools.protoc -Iproto --python_out="$work/python" \
  --grpc_python_out="$work/python" deberta/v1/deberta.proto
cp clients/examples/python/ask.py "$work/python"
cp clients/examples/go/* "$work/go"
package=Mdeberta/v1/deberta.proto=example/deberta/v1
protoc -Iproto --go_out="$work/go" --go_opt=module=example,$package \
  --go-grpc_out="$work/go" --go-grpc_opt=module=example,$package \
  deberta/v1/deberta.proto
(cd "$work/go" && GOFLAGS="-p=${GO_JOBS:-1}" nice -n 19 go build -o ask .)

install() {  # PACKAGE...
  # shellcheck disable=SC2046  # nothing where this is root
  $([ "$(id -u)" -eq 0 ] || echo sudo) apt-get install -y -q \
    --no-install-recommends "$@" >/dev/null
}
command -v npm >/dev/null || install nodejs npm
(cd "$work/node" && npm install --silent --no-audit --no-fund)

command -v mvn >/dev/null || install maven default-jdk-headless
plugin=${GRPC_JAVA_PLUGIN:-/usr/bin/grpc_java_plugin}
[ -x "$plugin" ] || install protobuf-compiler-grpc-java-plugin
(cd "$work/java" && mvn -B -q -Dproto.root="$proto" -Dgrpc.plugin="$plugin" package)

echo "== ask"
models=$(find demo -mindepth 2 -maxdepth 2 -name model.safetensors -printf '%h\n' |
         sort | paste -sd,)
server=
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true' EXIT
serve "$build" "$work/server.log" --models="$models"
expect() {  # NAME EXPECTED COMMAND...
  local got
  got=$("${@:3}" 2>&1) || { echo "$1 failed: $got" >&2; exit 1; }
  [ "$got" = "$2" ] ||
    { printf '%s: expected:\n%s\ngot:\n%s\n' "$1" "$2" "$got" >&2; exit 1; }
  echo "$1: as expected"
}
found=$'games\nPROTOCOL IMAP\nLANGUAGE Rust'
expect Go "$found" "$work/go/ask" "127.0.0.1:$port"
expect Node "$found"$'\nNOT_FOUND MODEL_NOT_FOUND' \
  node "$work/node/ask.js" "127.0.0.1:$port" proto
expect Java "$found"$'\nNOT_FOUND MODEL_NOT_FOUND' \
  java -jar "$work/java/target/ask.jar" "127.0.0.1:$port"
expect Python "$found"$'\nNOT_FOUND MODEL_NOT_FOUND' \
  "$python" "$work/python/ask.py" "127.0.0.1:$port"
