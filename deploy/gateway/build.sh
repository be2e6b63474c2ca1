#!/usr/bin/env bash
# Builds the gateway, and the OpenAPI page of what it answers:
#
#   deploy/gateway/build.sh DIRECTORY
#
# makes DIRECTORY/deberta-gateway and DIRECTORY/openapi.json. Needs Go 1.25, protoc
# (protobuf-compiler) and the Go module proxy.
set -euo pipefail
[ $# -eq 1 ] || { sed -n 's/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
out=$(realpath "$1")
cd "$(dirname "$0")/../.."
export GOFLAGS="-p=${GO_JOBS:-2}" GOBIN=$out/bin
for plugin in google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.10 \
              google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.5.1 \
              github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-grpc-gateway@v2.27.7 \
              github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2@v2.27.7; do
  name=${plugin##*/}
  [ -x "$GOBIN/${name%@*}" ] || go install "$plugin"
done
source=$out/source
rm -rf "$source"
mkdir -p "$source"
cp deploy/gateway/main.go deploy/gateway/go.mod deploy/gateway/go.sum "$source"
proto=deberta/v1/deberta.proto
module=module=deberta-gateway,M$proto=deberta-gateway/deberta/v1
api=grpc_api_configuration=deploy/gateway/http.yaml
PATH=$GOBIN:$PATH protoc -Iproto \
  --go_out="$source" --go_opt="$module" \
  --go-grpc_out="$source" --go-grpc_opt="$module" \
  --grpc-gateway_out="$source" --grpc-gateway_opt="$module,$api" \
  --openapiv2_out="$source" \
  --openapiv2_opt="M$proto=deberta-gateway/deberta/v1,$api,json_names_for_fields=false" \
  $proto
mv "$source"/deberta/v1/*.swagger.json "$out/openapi.json"
cd "$source"
CGO_ENABLED=0 go build -trimpath -ldflags=-s -o "$out/deberta-gateway" .
echo "$out/deberta-gateway"
