#!/usr/bin/env bash
# Checks that the layers include only what CONTRIBUTING.md allows, and that each
# third-party library stays in its files.
set -u
cd "$(dirname "$0")/.." || exit 1
failures=0

# layer DIRECTORY PATTERN [EXCEPTION]: no file under DIRECTORY includes what
# PATTERN matches, but for EXCEPTION.
layer() {
  local found
  found=$(grep -rnE --include='*.h' --include='*.cc' "#include [\"<]($2)" "$1" |
            grep -vE "#include [\"<](${3:-^})")
  if [ -n "$found" ]; then
    echo "$1 must not include $2:"
    echo "$found"
    failures=$((failures + 1))
  fi
}

# confined PATTERN FILES: only files that match FILES include PATTERN.
confined() {
  local found
  found=$(grep -rnE --include='*.h' --include='*.cc' "#include [\"<]($1)" \
            json tokenizer model server tools | grep -vE "^($2):")
  if [ -n "$found" ]; then
    echo "$1 belongs into $2 only:"
    echo "$found"
    failures=$((failures + 1))
  fi
}

layer json 'tokenizer/|model/|server/|proto/|tools/'
layer tokenizer 'model/|server/|proto/|tools/'
# Inside tokenizer/ each room may include those to its left, itself and json/;
# the files at the top may include them all.
rooms=(text encoding normalization segmentation special_tokens files)
for i in "${!rooms[@]}"; do
  left=$(IFS='|'; echo "${rooms[*]:0:i+1}")
  layer "tokenizer/${rooms[i]}" 'tokenizer/' "tokenizer/($left)/"
done
layer model/checkpoint 'model/(layers|[a-z_]+\.h)|tokenizer/|server/|proto/|tools/'
layer model 'tokenizer/|server/|proto/|tools/'
layer server/tasks 'server/(batching|rpc)/|server/[a-z_]+\.h|proto/|tools/'
layer server/batching 'server/rpc/|proto/|tools/|tokenizer/'
layer server/gate 'server/rpc/|server/[a-z_]+\.h|proto/|tools/' 'server/stopwatch\.h'
# How a model's directory wants to be read is told by a file of the server's.
layer tools 'server/|tokenizer/' 'server/model_settings\.h'

confined '(oneapi/)?dnnl' 'model/layers/gemm_onednn\.cc'
confined '(hdf5|H5[A-Za-z]+)\.h' 'tools/hdf5/tensor_table\.cc'
confined 'hwy/' 'model/layers/[a-z0-9_]+(-inl)?\.(cc|h)|model/isa\.cc'
confined 'utf8proc' 'tokenizer/(text/unicode|normalization/(nfc|normalizer))\.cc'
confined 'prometheus/' 'server/metrics\.cc'
confined 'microhttpd' 'server/metrics_port\.cc'
confined 'nlohmann/' 'json/[a-z]+\.(cc|h)|tokenizer/files/[a-z_]*json[a-z_]*\.(cc|h)|server/log\.cc|tools/[a-z_/-]+\.cc'
confined 'grpcpp/|grpc/' 'server/rpc/[a-z_]+\.(cc|h)|server/main\.cc|tools/[a-z_/-]+\.(cc|h)'

if [ "$failures" -gt 0 ]; then exit 1; fi
echo "includes are as CONTRIBUTING.md says"
