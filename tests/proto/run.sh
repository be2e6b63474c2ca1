#!/usr/bin/env bash
# Lints the proto, and compares it with the contract as it was last released: what
# clients were compiled from must go on working.
#
#   tests/proto/run.sh             also tries changes that must be refused
#   tests/proto/run.sh --release   makes the proto of today the contract
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/proto
contract=$here/contract.binpb
# shellcheck source=tests/deploy/tools.sh
. tests/deploy/tools.sh
need_python $here/requirements.txt venv-proto
buf=$(dirname "$python")/buf
fail() { echo "$*" >&2; exit 1; }

"$buf" lint proto
if [ "${1:-}" = --release ]; then
  "$buf" build proto --path proto/deberta --exclude-source-info -o $contract
  exit
fi
"$buf" breaking proto --against $contract

changed=$(mktemp -d)
trap 'rm -rf "$changed"' EXIT
refused() {  # SED_SCRIPT
  rm -rf "$changed/proto"
  cp -r proto "$changed/proto"
  sed -i "$1" "$changed/proto/deberta/v1/deberta.proto"
  ! cmp -s proto/deberta/v1/deberta.proto "$changed/proto/deberta/v1/deberta.proto" ||
    fail "\"$1\" changes nothing"
  ! "$buf" breaking "$changed/proto" --against $contract >/dev/null ||
    fail "buf allows $1"
}
refused 's/^  string query = 2;/  string query = 12;/'
refused 's/^  string query = 2;/  bytes query = 2;/'
refused 's/^  string query = 2;/  string question = 2;/'
refused '/^  string query = 2;/d'
refused 's/^  rpc Rerank(/  rpc Order(/'
refused 's/^  TASK_RERANK = 8;/  TASK_RERANK = 9;/'
refused 's/^  rpc Process(stream /  rpc Process(/'
# What is added is no breach.
cp proto/deberta/v1/deberta.proto "$changed/proto/deberta/v1/"
sed -i 's/^  string query = 2;/&\n  string added = 99;/' \
  "$changed/proto/deberta/v1/deberta.proto"
"$buf" breaking "$changed/proto" --against $contract
echo "the contract holds"
