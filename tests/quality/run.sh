#!/usr/bin/env bash
# What bf16 and int8 do to answers: writes docs/precision.md.
#
#   tests/quality/run.sh [MODEL_DIR...]
#
# Needs build/release, and apt's package descriptions, which the demo models
# were trained on (tools/train_demo/README.md): as root or with sudo
#
#   apt-get -o Acquire::Languages=en update
#
# MODEL_DIR: models whose errors are followed from layer to layer, such as those
# of tests/golden/generators/make_random_checkpoint.py; without any, what was
# measured of them before is kept. Packages, stubs and results go to
# build/quality.
set -euo pipefail
models=()
for directory in "$@"; do models+=("$(realpath "$directory")"); done
cd "$(dirname "$0")/../.."
work=$PWD/build/quality
here=tests/quality
mkdir -p "$work/stubs"

if ! cmp -s $here/requirements.txt "$work/installed.txt"; then
  rm -rf "$work/venv" "$work/installed.txt"
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install -q --disable-pip-version-check \
    -r $here/requirements.txt
  cp $here/requirements.txt "$work/installed.txt"
fi
python=$work/venv/bin/python
"$python" -m grpc_tools.protoc -Iproto --python_out="$work/stubs" \
  --grpc_python_out="$work/stubs" google/rpc/status.proto \
  google/rpc/error_details.proto deberta/v1/deberta.proto
export PYTHONPATH=$work/stubs:tests/e2e:tools/train_demo PYTHONDONTWRITEBYTECODE=1

if [ ${#models[@]} -gt 0 ]; then
  build/release/tests/layer_errors --threads="$(nproc)" "${models[@]}" \
    >"$work/layer_errors.jsonl"
fi
"$python" $here/held_out.py --server build/release/deberta-server \
  --work "$work"
"$python" $here/render.py --work "$work"
