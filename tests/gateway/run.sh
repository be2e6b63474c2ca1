#!/usr/bin/env bash
# Builds the HTTP gateway and asks a real server through it by curl:
#
#   tests/gateway/run.sh [BUILD_DIR]   default build/release
#
# The first time it builds Go programs for minutes; they stay in build/gateway.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build/release}")
work=$PWD/build/gateway
mkdir -p "$work"
failures=0
# shellcheck source=tests/deploy/tools.sh
. tests/deploy/tools.sh

# Each method of one request has its path.
diff <(sed -n 's/^  rpc \([A-Za-z]*\)([^)]*) returns.*/\1/p' \
         proto/deberta/v1/deberta.proto | grep -v '^Process$' | sort) \
     <(sed -n 's/.*selector: deberta.v1.DebertaService\.//p' \
         deploy/gateway/http.yaml | sort) ||
  { echo "deploy/gateway/http.yaml does not have the methods of the proto" >&2
    exit 1; }

GO_JOBS=${GO_JOBS:-1} nice -n 19 deploy/gateway/build.sh "$work"

server='' gateway=''
trap 'kill $server $gateway 2>/dev/null || true; wait 2>/dev/null || true' EXIT
serve "$build" "$work/server.log" \
  --models=section-classifier=demo/section-classifier,tech-tagger=demo/tech-tagger
: >"$work/gateway.log"
"$work/deberta-gateway" --server="127.0.0.1:$port" --listen=127.0.0.1:0 \
  --allow_origin=http://page:9090 >"$work/gateway.log" 2>&1 &
gateway=$!
await $gateway "$work/gateway.log" 'answering HTTP'
url=http://$(sed -n 's/.*HTTP on \([0-9.:]*\),.*/\1/p' "$work/gateway.log")

check() {  # NAME STATUS PATTERN CURL-ARGUMENT...
  local got
  got=$(curl -s -m 30 -w '\n%{http_code}' "${@:4}")
  if [ "${got##*$'\n'}" = "$2" ] && grep -q "$3" <<<"${got%$'\n'*}"; then
    echo "$1: $2"
  else
    printf '%s: expected %s with %s, got:\n%s\n' "$1" "$2" "$3" "$got" >&2
    failures=$((failures + 1))
  fi
}

check classify 200 '"label":"games"' "$url/v1/classify" \
  -d '{"model": "section-classifier", "inputs": [{"text": "A chess engine"}]}'
check tag_tokens 200 '"text":"Rust", *"start":15, *"end":19' "$url/v1/tag_tokens" \
  -d '{"model": "tech-tagger", "inputs": ["äé: written in Rust."]}'
check 'list models' 200 '"name":"tech-tagger"' "$url/v1/models"
check 'get a model' 200 '"max_tokens":512' "$url/v1/models/tech-tagger"
check 'no such model' 404 'MODEL_NOT_FOUND' "$url/v1/models/another"
check 'an error with its field' 400 '"field":"inputs"' "$url/v1/classify" \
  -d '{"model": "section-classifier"}'
check 'no JSON' 400 'unexpected EOF' "$url/v1/classify" -d '{"model": '
check 'an unknown field' 400 'unknown field' "$url/v1/classify" -d '{"text": "a"}'
check 'a task the model has not' 400 'TASK_NOT_SUPPORTED' "$url/v1/fill_mask" \
  -d '{"model": "tech-tagger", "inputs": ["a [MASK]"]}'
check 'a bad priority' 400 'x-deberta-priority' "$url/v1/classify" \
  -H 'X-Deberta-Priority: soon' \
  -d '{"model": "section-classifier", "inputs": [{"text": "a"}]}'
check 'a deadline' 504 'deadline' "$url/v1/classify" -H 'Grpc-Timeout: 1u' \
  -d '{"model": "section-classifier", "inputs": [{"text": "a"}]}'
head -c 17000000 /dev/zero | tr '\0' ' ' >"$work/large.json"
check 'too large a body' 400 'too large' "$url/v1/classify" \
  --data-binary "@$work/large.json"
check 'a page that may ask' 204 'Access-Control-Allow-Origin: http://page:9090' \
  -i -X OPTIONS -H 'Origin: http://page:9090' "$url/v1/classify"
check 'another page' 501 'Method Not Allowed' \
  -i -X OPTIONS -H 'Origin: http://other' "$url/v1/classify"
check health 200 'SERVING' "$url/healthz"
kill $server
wait $server || true
check 'health without a server' 503 '' "$url/healthz"
kill $gateway
wait $gateway || { echo "the gateway did not end well" >&2; failures=1; }
gateway=''
[ "$failures" -eq 0 ] && echo "the gateway answers as it should"
exit "$((failures > 0))"
