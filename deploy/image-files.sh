#!/usr/bin/env bash
# Gathers what the container image holds. Run by the Dockerfile, on Debian 13.
#
#   deploy/image-files.sh BUILD_DIR OUT
#
# OUT/programs  the programs, their licence
# OUT/base      the libraries that they are linked with and the dynamic linker,
#               authorities' certificates, users; of each package that a file is
#               of its licence and its record (/var/lib/dpkg/status.d, which
#               scanners read), and the SBOM of all, in CycloneDX
set -euo pipefail
build=$1
base=$2/base programs=$2/programs
sbom=$base/usr/share/deberta-server/sbom.cdx.json

mkdir -p "$base"/{etc/ssl/certs,usr/lib,usr/lib64,var/lib/dpkg/status.d} \
  "${sbom%/*}" "$programs"
install -d -m 1777 "$base/tmp"
ln -s usr/lib "$base/lib"
ln -s usr/lib64 "$base/lib64"

DESTDIR=$programs cmake --install "$build" --prefix /usr/local --strip \
  --component server >/dev/null

mapfile -t libraries < <(
  ldd "$programs"/usr/local/bin/* | grep -oE '/[^ ]+\.so[^ ]*' | sort -u)
files=()
for library in "${libraries[@]}"; do
  # By the name that it is looked for under.
  directory=$(realpath "$(dirname "$library")")
  mkdir -p "$base$directory"
  cp -L "$library" "$base$directory/"
  files+=("$(realpath "$library")")
done
declare -A owners
while IFS= read -r line; do
  owners[${line#*: }]=${line%%: *}
done < <(dpkg -S "${files[@]}" "${files[@]#/usr}" 2>/dev/null || true)
packages=(ca-certificates base-files)
for file in "${files[@]}"; do
  # Older packages name /lib, not /usr/lib.
  package=${owners[$file]:-${owners[${file#/usr}]:-}}
  [ -n "$package" ] || { echo "$0: $file is of no package" >&2; exit 1; }
  packages+=("$package")
done
# The linker's name is fixed in each program.
linker=$(echo /lib64/ld-linux-*.so.*)
[ ! -e "$linker" ] || cp -L "$linker" "$base/usr/lib64/"

cp /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/"
cp -L /etc/os-release "$base/etc/"
echo 'hosts: files dns' >"$base/etc/nsswitch.conf"
printf '%s\n' 'root:x:0:0:root:/:/sbin/nologin' \
  'deberta:x:65532:65532:deberta-server:/:/sbin/nologin' >"$base/etc/passwd"
printf '%s\n' 'root:x:0:' 'deberta:x:65532:' >"$base/etc/group"

# shellcheck source=/dev/null
. /etc/os-release
component() {  # PACKAGE:ARCHITECTURE
  # shellcheck disable=SC2016  # dpkg-query expands
  dpkg-query -W -f '${Package}\n${Version}\n${Architecture}\n' "$1" | {
    read -r name; read -r version; read -r architecture
    # "+" and ":" are not plain in the URL of a package.
    url=${version//+/%2B}
    printf '{"type":"library","name":"%s","version":"%s",' "$name" "$version"
    printf '"purl":"pkg:deb/debian/%s@%s?arch=%s&distro=debian-%s"}' \
      "${name//+/%2B}" "${url//:/%3A}" "$architecture" "$VERSION_ID"
  }
}
release=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build/CMakeCache.txt")
{
  printf '{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"metadata":{"component":'
  printf '{"type":"application","name":"deberta-server","version":"%s",' "$release"
  printf '"licenses":[{"license":{"id":"Apache-2.0"}}]}},"components":[\n'
  comma=
  while read -r package; do
    name=${package%:*}
    printf '%s' "$comma"
    component "$package"
    comma=$',\n'
    dpkg-query -s "$package" >"$base/var/lib/dpkg/status.d/$name"
    mkdir -p "$base/usr/share/doc/$name"
    cp -L "/usr/share/doc/$name/copyright" "$base/usr/share/doc/$name/"
  done < <(printf '%s\n' "${packages[@]}" | sort -u)
  printf '\n]}\n'
} >"$sbom"
