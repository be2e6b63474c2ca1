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
rooms=(text encoding normalization pre_tokenization segmentation special_tokens files)
for i in "${!rooms[@]}"; do
  left=$(IFS='|'; echo "${rooms[*]:0:i+1}")
  layer "tokenizer/${rooms[i]}" 'tokenizer/' "tokenizer/($left)/"
done
layer model 'tokenizer/|server/|proto/|tools/'
layer model/checkpoint 'model/' 'model/checkpoint/'
layer model/runtime 'model/' 'model/runtime/'
layer model/gemm 'model/' 'model/(checkpoint|runtime|gemm)/'
layer model/layers 'model/' 'model/(checkpoint|runtime|gemm|layers)/'
layer model/weights 'model/' 'model/(checkpoint|weights)/'
layer server/base 'json/|tokenizer/|model/|server/(net|tasks|batching|precision|models|rpc|security|tracing)/|server/[a-z_]+\.h|proto/|tools/'
layer server/net 'json/|tokenizer/|model/|proto/|tools/|server/' 'server/(base|net)/'
layer server/flags 'json/|tokenizer/|model/|server/' 'server/flags/'
layer server/tasks/shared 'server/(base|batching|precision|models|rpc|tasks/[a-z_]+\.h)|server/[a-z_]+\.h|proto/|tools/'
layer server/tasks 'server/(base|batching|precision|models|rpc)/|server/[a-z_]+\.h|proto/|tools/'
layer server/batching 'server/(precision|models|rpc)/|server/[a-z_]+\.h|proto/|tools/|tokenizer/'
layer server/precision 'server/(models|rpc)/|server/[a-z_]+\.h|proto/|tools/'
layer server/security 'tokenizer/|model/|server/(flags|tasks|batching|precision|models|rpc)/|server/[a-z_]+\.h|proto/|tools/'
layer server/tracing 'json/|tokenizer/|model/|server/(flags|tasks|batching|precision|models|security|rpc)/|server/[a-z_]+\.h|proto/|tools/'
layer server/models 'server/(rpc|inference|tracing)/|server/[a-z_]+\.h|proto/|tools/'
layer server/rpc 'server/inference/'
layer server/inference 'model/|json/|server/(flags|precision|security|tracing)/|server/[a-z_]+\.h|tools/'
# How a model's directory wants to be read is told by a file of the server's.
layer tools 'server/|tokenizer/' 'server/models/model_settings\.h'

confined '(oneapi/)?dnnl' 'model/gemm/onednn_gemm\.cc'
confined '(hdf5|H5[A-Za-z]+)\.h' 'tools/hdf5/tensor_table\.cc'
confined 'hwy/' 'model/(gemm|layers)/[a-z0-9_]+(-inl)?\.(cc|h)|model/runtime/isa\.cc'
confined 'utf8proc' 'tokenizer/(text/general_category|normalization/(normalization_form|bert_normalizer))\.cc'
confined 'prometheus/' 'server/(metrics|[a-z]+_collector)\.(cc|h)'
confined 'openssl/' 'server/net/tls[a-z_]*\.(cc|h)|server/models/file_digest\.(cc|h)|server/security/token_file\.cc|tools/client/token\.cc'
confined 're2/' 'tokenizer/text/regex\.cc'
confined 'zlib\.h' 'server/rpc/gunzip\.cc'
confined 'curl/' 'server/tracing/http_sender\.cc'
confined 'microhttpd' 'server/metrics_port\.cc'
confined 'nlohmann/' 'json/[a-z]+\.(cc|h)|tokenizer/files/[a-z_]*json[a-z_]*\.(cc|h)|server/base/log\.cc|server/tracing/otlp_json\.cc|tools/[a-z_/-]+\.cc'
confined 'grpcpp/|grpc/' 'server/(rpc|inference)/[a-z_]+\.(cc|h)|server/main\.cc|tools/[a-z_/-]+\.(cc|h)'

# No folder includes itself by way of another. Programs, which nobody includes,
# stand above their folders.
edges=$(grep -rnoE --include='*.h' --include='*.cc' '#include "[a-z_/]+/' \
          json tokenizer model server tools |
          grep -vE '^(server/main|tools/deberta-[a-z0-9-]+)\.cc:' |
          sed -E 's|^([^:]+)/[^/:]+:.*"([a-z_/]+)/$|\1 \2|' |
          awk '$1 != $2' | sort -u)
if ! circle=$(tsort <<<"$edges" 2>&1 >/dev/null); then
  echo "folders include each other in a circle:"
  echo "$circle"
  failures=$((failures + 1))
fi

if [ "$failures" -gt 0 ]; then exit 1; fi
echo "includes are as CONTRIBUTING.md says"
