#!/usr/bin/env bash
# Installs the Debian packages that building needs, those that are missing.
#
#   deploy/install-dependencies.sh           to build and run
#   deploy/install-dependencies.sh --tests   for tests/run.sh as well
#
# For Debian 12 and 13, as root or with sudo. Says nothing unless it fails or
# has something to install.
set -euo pipefail

packages=(
  build-essential cmake ninja-build pkg-config
  libabsl-dev libgrpc++-dev libprotobuf-dev protobuf-compiler
  protobuf-compiler-grpc libcurl4-openssl-dev libssl-dev
  libdnnl-dev libhdf5-dev libhwy-dev libmicrohttpd-dev nlohmann-json3-dev
  libre2-dev libutf8proc-dev prometheus-cpp-dev zlib1g-dev
  # The build configures the tests too.
  libgmock-dev libgtest-dev
  # cpack asks it which files have libraries to depend on.
  file
)
tests=no
case "${1:-}" in
  '') ;;
  --tests) tests=yes ;;
  *) echo "usage: $0 [--tests]" >&2; exit 2 ;;
esac

# shellcheck disable=SC1091
[ -r /etc/os-release ] && . /etc/os-release
if [ "${ID:-}" != debian ]; then
  echo "$0: written for Debian 12 and 13, this is ${PRETTY_NAME:-unknown}" >&2
fi
# oneDNN's CMake files of Debian 12 look for OpenCL.
[ "${VERSION_ID:-}" = 12 ] && packages+=(ocl-icd-opencl-dev opencl-headers)
if [ "$tests" = yes ]; then
  packages+=(clang libclang-rt-dev python3 python3-venv)
  # Debian 12's Go is too old for grpcurl.
  if [ "${VERSION_ID:-}" = 13 ] && ! command -v go >/dev/null; then
    packages+=(golang-go)
  fi
fi

installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
for package in "${packages[@]}"; do
  installed "$package" || missing+=("$package")
done
[ "${#missing[@]}" -eq 0 ] && exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "$0: these packages are missing, and there is no sudo to install" \
         "them: ${missing[*]}" >&2
    exit 1
  fi
  root=(sudo)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing ${missing[*]}" >&2
quietly() {
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive "$@" >>"$log" 2>&1 </dev/null
}
if ! { quietly apt-get -q update &&
       quietly apt-get -q -y --no-install-recommends install "${missing[@]}"; }
then
  cat "$log" >&2
  echo "$0: the installation failed" >&2
  exit 1
fi
