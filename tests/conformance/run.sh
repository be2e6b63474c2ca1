#!/usr/bin/env bash
# Runs our programs beside the reference implementations and writes
# docs/conformance.md from what both answered:
#
#   tests/conformance/run.sh [BUILD_DIR [PART...]]   default build/release, all
#
# PART: models, formats, tf_models, tokenizers, kinds, random, words, labels,
# pipelines, saved_by_5, wild. What is not asked for stays on the page as it is.
# Virtual environments, texts and results go to build/conformance (some 20 GB). SEED
# chooses other random cases, LINES fewer lines of text; tokenizers, kinds, random and
# wild with a 4 or 5 behind are one version's rows. saved_by_5 takes half an hour,
# DIRECTORIES=24 LINES=20000 a few minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build/release}")
shift || true
here=tests/conformance
work=$PWD/build/conformance
results=$work/results
seed=${SEED:-11}
lines=${LINES:-1000000}
mkdir -p "$results"

# environment NAME: a virtual environment that follows requirements/NAME.txt.
environment() {
  local name=$1 wanted=$here/requirements/$1.txt
  cmp -s "$wanted" "$work/$name.installed" && return
  echo "installing the packages of $wanted" >&2
  rm -rf "${work:?}/venv-$name" "$work/$name.installed"
  python3 -m venv "$work/venv-$name"
  "$work/venv-$name/bin/pip" install -q --disable-pip-version-check -r "$wanted"
  cp "$wanted" "$work/$name.installed"
}

# in_environment NAME SCRIPT ARGUMENT...
in_environment() {
  environment "$1"
  PYTHONPATH=$work/stubs:tests/golden/generators PYTHONDONTWRITEBYTECODE=1 \
    "$work/venv-$1/bin/python" "$here/$2" "${@:3}"
}

# compare ENVIRONMENT SCRIPT RESULT ARGUMENT...
compare() {
  echo "==== $3" >&2
  in_environment "$1" "$2" --build="$build" --out="$results/$3.json" \
    --seed="$seed" "${@:4}"
}

# text_and_tokenizers NAME [OPTION...]: lines of text, and tokenizers trained on
# them in $work/NAME.
text=$work/text/lines.txt
text_and_tokenizers() {
  if [ ! -f "$text" ]; then
    mkdir -p "$work/text"
    in_environment transformers4 collect_text.py "$work/text" "$text"
  fi
  if [ ! -d "$work/$1" ]; then
    in_environment transformers4 train_tokenizers.py "$text" "$work/$1" "${@:2}"
  fi
}

# tokenizers VERSION
tokenizers() {
  text_and_tokenizers tokenizers
  compare "transformers$1" tokenizer_lines.py "tokenizers$1" \
    --cases="$lines" --hostile=20000 --text "$text" \
    --tokenizers "$work/tokenizers"
}

# kinds VERSION: tokenizers of every kind of pipeline
kinds() {
  text_and_tokenizers tokenizers
  compare "transformers$1" pipeline_lines.py "tokenizers_kinds$1" \
    --cases="$((lines < 200000 ? lines : 200000))" --hostile=20000 \
    --text "$text" --kinds="$work/kinds"
}

# pipelines_at_random VERSION
pipelines_at_random() {
  text_and_tokenizers tokenizers
  compare "transformers$1" random_pipeline_lines.py "tokenizers_random$1" --text "$text"
}

# stubs ENVIRONMENT: Python's classes of the proto, in $work/stubs.
stubs() {
  environment "$1"
  rm -rf "$work/stubs"
  mkdir -p "$work/stubs"
  "$work/venv-$1/bin/python" -m grpc_tools.protoc -Iproto \
    --python_out="$work/stubs" --grpc_python_out="$work/stubs" \
    google/rpc/status.proto google/rpc/error_details.proto \
    deberta/v1/deberta.proto
}

# pipelines VERSION RESULT
pipelines() {
  stubs "transformers$1"
  compare "transformers$1" pipelines.py "$2"
}

# wild VERSION
wild() {
  if [ "$1" = 4 ]; then
    stubs sentence_transformers
    compare sentence_transformers wild.py wild4 --conventions
  else
    stubs transformers5
    compare transformers5 wild.py wild5
  fi
}

saved_by_5() {
  text_and_tokenizers tokenizers
  text_and_tokenizers tokenizers-mdeberta --mdeberta
  local plan=(--sources="$work/saved_with_4" --seed="$seed"
    --directories="${DIRECTORIES:-144}"
    --tokenizers "$work/tokenizers" "$work/tokenizers-mdeberta")
  in_environment transformers4 save_with_4.py "${plan[@]}"
  compare transformers5 saved_by_5.py saved_by_5 "${plan[@]}" --text "$text" \
    --cases="$((lines < 200000 ? lines : 200000))" --hostile=20000
  pipelines 5 saved_by_5_pipelines
}

parts=("$@")
[ "${#parts[@]}" -gt 0 ] ||
  parts=(models formats tf_models tokenizers kinds random words labels pipelines
    saved_by_5 wild)
for part in "${parts[@]}"; do
  case "$part" in
    models) compare transformers4 models.py models --full-size ;;
    formats) compare transformers4 formats.py formats ;;
    tf_models) compare tensorflow tf_models.py tf_models --cases=20 ;;
    tokenizers) tokenizers 4; tokenizers 5 ;;
    labels) stubs labels; compare labels labels.py labels ;;
    words) compare transformers4 words.py words ;;
    tokenizers[45]) tokenizers "${part#tokenizers}" ;;
    kinds) kinds 4; kinds 5 ;;
    kinds[45]) kinds "${part#kinds}" ;;
    random) pipelines_at_random 4; pipelines_at_random 5 ;;
    random[45]) pipelines_at_random "${part#random}" ;;
    wild) wild 4; wild 5 ;;
    wild[45]) wild "${part#wild}" ;;
    pipelines) pipelines 4 pipelines ;;
    saved_by_5) saved_by_5 ;;
    *) echo "$0: no part $part" >&2; exit 2 ;;
  esac
done
python3 $here/report.py --results="$results" --out=docs/conformance.md
