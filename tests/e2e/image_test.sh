#!/usr/bin/env bash
# Builds the container image, looks at what is in it, and asks the server in it a
# question of each task.
#
#   tests/e2e/image_test.sh
#   tests/e2e/image_test.sh IMAGE    of one that lies in build/image already
#
# Runs as root, without a container engine's daemon: the base is made by
# debootstrap, buildah builds with chroot isolation and vfs storage, and the server
# runs as in a container with a read-only root. Everything is kept in build/image,
# the compiler's work as well, so that only the first run takes long. Not part of
# the default tests: it compiles the server a second time.
#
# BASE_MODEL names a directory of a model of base size, whose cold start is then
# measured as well.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$PWD/build/image
port=${GRPC_PORT:-50151}
metrics_port=${METRICS_PORT:-9190}
start_seconds=120
most_bytes=200000000
mkdir -p "$work/ccache"

for program in buildah debootstrap; do
  command -v $program >/dev/null ||
    apt-get -q -y --no-install-recommends install $program >/dev/null
done

export BUILDAH_ISOLATION=chroot
buildah() {
  nice buildah --storage-driver vfs --root "$work/storage" \
    --runroot "$work/run" "$@"
}
fail() { echo "$*" >&2; exit 1; }

container=
server=
cleanup() {
  [ -n "$server" ] && kill -TERM "$server" 2>/dev/null && wait "$server"
  [ -n "$container" ] && buildah rm "$container" >/dev/null
  return 0
}
trap cleanup EXIT

# Debian 13 with what building needs, which the Dockerfile then finds installed.
make_base() {
  if [ ! -e "$work/base/etc/debian_version" ]; then
    echo "== debootstrap"
    rm -rf "$work/base"
    debootstrap --variant=minbase --include=ca-certificates,ccache trixie \
      "$work/base" >"$work/debootstrap.log" ||
      { tail "$work/debootstrap.log" >&2; exit 1; }
  fi
  echo "== base image"
  local scratch
  scratch=$(buildah from scratch)
  tar -C "$work/base" --one-file-system -cf "$work/base.tar" .
  buildah add -q "$scratch" "$work/base.tar" / >/dev/null
  rm -f "$work/base.tar"
  buildah copy -q "$scratch" deploy/install-dependencies.sh /tmp/ >/dev/null
  buildah run "$scratch" -- /tmp/install-dependencies.sh
  buildah commit -q "$scratch" deberta-base >/dev/null
  buildah rm "$scratch" >/dev/null
}
make_image() {
  buildah inspect --type image deberta-base >/dev/null 2>&1 || make_base
  echo "== image"
  buildah build --pull-never --build-arg BASE_IMAGE=localhost/deberta-base \
    --build-arg COMPILER_LAUNCHER=ccache --build-arg BUILD_JOBS="${BUILD_JOBS:-}" \
    --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
    --volume "$work/ccache:/root/.cache/ccache" \
    -t "$image" . >"$work/build.log" 2>&1 || {
    tail -n 40 "$work/build.log" >&2
    exit 1
  }
}
image=${1:-localhost/deberta-server:0.1.0}
[ $# -gt 0 ] || make_image

echo "== contents"
container=$(buildah from --pull-never "$image")
root=$(buildah mount "$container")
programs=$(cd "$root" && find . -type f -perm /111 ! -name '*.so' ! -name '*.so.*' |
  sort | tr '\n' ' ')
[ "$programs" = "./usr/local/bin/deberta-client ./usr/local/bin/deberta-read-hdf5 ./usr/local/bin/deberta-server " ] ||
  fail "the image has other programs: $programs"
missing=$(for program in "$root"/usr/local/bin/*; do
  chroot "$root" "/lib64/$(basename "$root"/lib64/ld-linux-*)" --list \
    "${program#"$root"}" | grep 'not found' || true; done)
[ -z "$missing" ] || fail "libraries are missing: $missing"
bytes=$(du -s --apparent-size --block-size=1 --exclude=./models "$root" | cut -f 1)
bytes=$((bytes - $(du -s --apparent-size --block-size=1 "$root/models" | cut -f 1)))
echo "size without models: $((bytes / 1000000)) MB"
[ "$bytes" -lt "$most_bytes" ] || fail "expected less than $((most_bytes / 1000000)) MB"
config() { buildah inspect --type container --format "$1" "$container"; }
[ "$(config '{{.OCIv1.Config.User}}')" = 65532:65532 ] || fail "the image runs as root"
for label in title description version revision licenses base.name; do
  [ -n "$(config "{{index .OCIv1.Config.Labels \"org.opencontainers.image.$label\"}}")" ] ||
    fail "no label $label"
done
python3 tests/e2e/sbom_test.py "$root"

# A container's root: read-only, with /proc and /sys; another user.
mkdir -p "$root"/{proc,sys}
# shellcheck disable=SC2016  # the inner shell expands
in_container='set -e; root=$1; shift; mount --rbind /proc "$root/proc"
  mount --rbind /sys "$root/sys"; mount --bind "$root" "$root.ro"
  mount --rbind "$root/proc" "$root.ro/proc"; mount --rbind "$root/sys" "$root.ro/sys"
  mount -o remount,bind,ro "$root.ro"
  ! touch "$root.ro/written" 2>/dev/null
  [ -z "$BASE_MODEL" ] || mount --bind "$BASE_MODEL" "$root.ro/mnt"
  exec env -i "$MODELS" "$(command -v chroot)" --userspec=65532:65532 "$root.ro" "$@"'
mkdir -p "$root.ro" "$root/mnt"
client() {
  chroot --userspec=65532:65532 "$root" /usr/local/bin/deberta-client \
    --server=127.0.0.1:"$port" "$@"
}
# start NAME MODELS QUESTION...: until the question is answered.
start() {
  local name=$1 models=$2 begin deadline
  shift 2
  begin=$(date +%s%N)
  BASE_MODEL=${BASE_MODEL:-} MODELS=$models unshare --mount --propagation private \
    bash -c "$in_container" bash "$root" \
    "$(config '{{index .OCIv1.Config.Entrypoint 0}}')" --listen=127.0.0.1:"$port" \
    --metrics_listen=127.0.0.1:"$metrics_port" >"$work/server.log" 2>&1 &
  server=$!
  deadline=$((SECONDS + start_seconds))
  until client "$@" >/dev/null 2>&1; do
    if ! kill -0 "$server" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      cat "$work/server.log" >&2
      fail "the server in the image is not ready"
    fi
  done
  echo "cold start, $name: $((($(date +%s%N) - begin) / 1000000)) ms to the first answer"
}
stop() {
  kill -TERM "$server"
  wait "$server" || fail "the server ended with $?"
  server=
}

echo "== run"
start "five demo models" "$(config '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' |
  grep ^DEBERTA_MODELS=)" classify --model=section-classifier "A chess engine."
answers() {  # PATTERN COMMAND...
  local output
  output=$(client "${@:2}") || fail "$2 failed"
  grep -q "$1" <<<"$output" || fail "$2: expected $1, got: $output"
  echo "$2: $1"
}
answers games classify --model=section-classifier --top_k=1 \
  "Plays chess against you or another program, with opening books."
answers PROTOCOL tag "Fetches mail over IMAP, written in Rust."
answers "Jay Berkenbilt" answer --question="Who maintains qpdf?" \
  "Package: qpdf Maintainer: Jay Berkenbilt <qjb@debian.org>"
answers Linux extract --labels="operating system" "Runs on Linux and Windows."
answers files fill --top_k=1 \
  "QPDF is a program to encrypt and inspect PDF [MASK] from the command line."
answers 0 embed --model=section-classifier "A chess engine."
answers CLS tokenize --model=section-classifier "A chess engine."
stop
if [ -n "${BASE_MODEL:-}" ]; then
  start "a model of base size" DEBERTA_MODELS=base=/mnt tokenize --model=base "a"
  stop
fi
echo "the image works"
