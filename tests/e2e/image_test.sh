#!/usr/bin/env bash
# Builds the container image and asks the server in it one question.
#
#   tests/e2e/image_test.sh
#
# Runs as root, without a container engine's daemon: the base image is made by
# debootstrap, buildah builds and runs with chroot isolation and vfs storage.
# Everything is kept in build/image; BASE_ROOT names a Debian 13 root made
# before. Not part of the default tests: it compiles the server a second time.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$PWD/build/image
port=${GRPC_PORT:-50151}
metrics_port=${METRICS_PORT:-9190}
start_seconds=120
mkdir -p "$work"

for program in buildah debootstrap; do
  command -v $program >/dev/null ||
    apt-get -q -y --no-install-recommends install $program >/dev/null
done

export BUILDAH_ISOLATION=chroot
buildah() {
  command buildah --storage-driver vfs --root "$work/storage" \
    --runroot "$work/run" "$@"
}

container=
server=
pid=
cleanup() {
  [ -n "$pid" ] && kill -TERM "$pid" 2>/dev/null
  [ -n "$server" ] && wait "$server" 2>/dev/null
  [ -n "$container" ] && buildah rm "$container" >/dev/null
  return 0
}
trap cleanup EXIT

if ! buildah inspect --type image deberta-base >/dev/null 2>&1; then
  base=${BASE_ROOT:-$work/base}
  if [ ! -e "$base/etc/debian_version" ]; then
    echo "== debootstrap"
    rm -rf "$base"
    debootstrap --variant=minbase trixie "$base" >"$work/debootstrap.log" || {
      tail "$work/debootstrap.log" >&2
      exit 1
    }
  fi
  echo "== base image"
  tar -C "$base" --one-file-system -cf "$work/base.tar" .
  scratch=$(buildah from scratch)
  buildah add -q "$scratch" "$work/base.tar" / >/dev/null
  buildah commit -q "$scratch" deberta-base >/dev/null
  buildah rm "$scratch" >/dev/null
  rm -f "$work/base.tar"
fi

echo "== image"
buildah build --layers --pull-never --build-arg BASE_IMAGE=localhost/deberta-base \
  -t deberta-server . >"$work/build.log" 2>&1 || {
  tail -n 40 "$work/build.log" >&2
  exit 1
}

echo "== run"
container=$(buildah from --pull-never localhost/deberta-server)
inside() { buildah run "$container" -- "$@"; }
[ "$(inside id -u)" = 65532 ] || { echo "the image runs as root" >&2; exit 1; }
compiler=$(inside sh -c 'command -v cc g++ cmake || true')
if [ -n "$compiler" ]; then
  echo "the image holds a compiler: $compiler" >&2
  exit 1
fi
entrypoint=$(buildah inspect --type container \
  --format '{{range .OCIv1.Config.Entrypoint}}{{.}} {{end}}' "$container")
# Chroot isolation has the host's network and process ids.
# shellcheck disable=SC2016  # the inner shell expands
buildah run "$container" -- sh -c 'echo "pid $$"; exec "$@"' sh $entrypoint \
  --listen=127.0.0.1:"$port" --metrics_listen=127.0.0.1:"$metrics_port" \
  >"$work/server.log" 2>&1 &
server=$!
client() { inside deberta-client --server=127.0.0.1:"$port" "$@"; }
deadline=$((SECONDS + start_seconds))
until client models --deadline_ms=2000 >/dev/null 2>&1; do
  if ! kill -0 "$server" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
    cat "$work/server.log" >&2
    echo "the server in the image is not ready" >&2
    exit 1
  fi
done
pid=$(sed -n 's/^pid //p' "$work/server.log")
client classify --model=section-classifier --top_k=3 \
  "Plays chess against you or another program, with opening books."

echo "== stop"
kill -TERM "$pid"
pid=
wait "$server"
server=
buildah images --format '{{.Name}} {{.Size}}' | grep deberta-server
echo "the image works"
