#!/usr/bin/env bash
# Installs the Debian package in a fresh root, asks the server in it, looks at its
# systemd unit, and purges it.
#
#   tests/deploy/package_test.sh RELEASE DEB    bookworm or trixie, and its package:
#     cpack --config build/release/CPackConfig.cmake -B build/package
#
# As root; debootstrap makes the root in build/package/RELEASE, where it is kept.
# systemd does not run in a root like this: the unit is verified and rated by
# systemd-analyze, and its program is started by hand.
set -euo pipefail
release=${1:?RELEASE DEB}
package=$(realpath "${2:?RELEASE DEB}")
cd "$(dirname "$0")/../.."
work=$PWD/build/package
fresh=$work/$release root=$work/$release.root
port=${GRPC_PORT:-50161}
start_seconds=120
# Of ten, by systemd-analyze: 9.6 is a unit without any hardening.
most_exposure=2.0
export DEBIAN_FRONTEND=noninteractive
fail() { echo "$*" >&2; exit 1; }

if [ ! -e "$fresh/etc/debian_version" ]; then
  echo "== debootstrap $release"
  rm -rf "$fresh"
  mkdir -p "$work"
  debootstrap --variant=minbase "$release" "$fresh" >"$work/debootstrap.log" ||
    { tail "$work/debootstrap.log" >&2; exit 1; }
fi
rm -rf "$root"
cp -a "$fresh" "$root"

server=
cleanup() {
  [ -n "$server" ] && kill -TERM "$server" 2>/dev/null && wait "$server"
  mountpoint -q "$root/proc" && umount "$root/proc"
  rm -rf "$root"
}
trap cleanup EXIT
mount -t proc proc "$root/proc"
inside() { chroot "$root" "$@"; }
apt() {
  inside apt-get -q -y --no-install-recommends "$@" >"$work/apt.log" 2>&1 ||
    { tail "$work/apt.log" >&2; fail "apt-get $1 failed on $release"; }
}

echo "== install on $release"
cp "$package" "$root/tmp/package.deb"
apt update
apt install systemd
before=$(inside find / -xdev -path /proc -prune -o -path /run -prune -o -path /var -prune -o \
  -path /etc/ld.so.cache -prune -o -print | sort)
apt install /tmp/package.deb
[ -L "$root/etc/systemd/system/multi-user.target.wants/deberta-server.service" ] ||
  fail "the unit is not enabled"

echo "== unit"
inside systemd-analyze verify deberta-server.service
exposure=$(inside systemd-analyze security --offline=true --no-pager \
  deberta-server.service | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
echo "exposure: $exposure"
awk -v is="$exposure" -v most="$most_exposure" \
  'BEGIN { exit !(is != "" && is <= most) }' || fail "expected at most $most_exposure"

echo "== run"
models=$root/var/lib/deberta-server/models
cp -r demo/section-classifier "$models/"
# The environment that the unit has, another port, and a user of no rights.
mapfile -t environment < <(grep '^DEBERTA_' "$root/etc/default/deberta-server")
env -i "${environment[@]}" DEBERTA_LISTEN=127.0.0.1:"$port" DEBERTA_METRICS_LISTEN= \
  "$(command -v chroot)" --userspec=65534:65534 "$root" /usr/bin/deberta-server \
  >"$work/server.log" 2>&1 &
server=$!
ask() {
  inside deberta-client --server=127.0.0.1:"$port" classify --top_k=1 \
    --model=section-classifier "Plays chess against you, with opening books."
}
deadline=$((SECONDS + start_seconds))
until ask 2>/dev/null | grep -q games; do
  if ! kill -0 "$server" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
    cat "$work/server.log" >&2
    fail "the installed server does not answer"
  fi
done
kill -TERM "$server"
wait "$server" || fail "the server ended with $?"
server=

echo "== purge"
rm -r "$models/section-classifier"
apt purge deberta-server
# Of what came with it Debian 13 would keep the libraries that systemd suggests.
apt autoremove --purge -o APT::AutoRemove::RecommendsImportant=false \
  -o APT::AutoRemove::SuggestsImportant=false
rm "$root/tmp/package.deb"
[ ! -e "$root/var/lib/deberta-server" ] || fail "purge leaves /var/lib/deberta-server"
left=$(comm -13 <(grep -v '^/tmp/package.deb$' <<<"$before") \
  <(inside find / -xdev -path /proc -prune -o -path /run -prune -o -path /var -prune -o \
    -path /etc/ld.so.cache -prune -o -print | sort))
[ -z "$left" ] || fail "purge leaves: $left"
echo "the package works on $release"
