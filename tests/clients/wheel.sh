# shellcheck shell=bash
# The Python client as its wheel. Sourced, in the root of the tree.

# install_wheel PYTHON WORK: builds it in WORK and installs it, with what it needs,
# unless the environment has it from the very same sources: pip asks the registry for
# each build, which takes minutes on a busy machine.
install_wheel() {
  local python=$1 work=$2 of stamp
  stamp=$(dirname "$python")/../wheel.sha256
  of=$(find clients/python proto -type f -not -name '*.pyc' -print0 | sort -z |
    xargs -0 sha256sum | sha256sum)
  [ "$of" != "$(cat "$stamp" 2>/dev/null)" ] || return 0
  rm -f "$stamp"
  rm -rf "$work/wheel" "$work/source"
  # A copy, as the build leaves files beside the sources.
  mkdir -p "$work/source/clients"
  cp -r clients/python "$work/source/clients/python"
  cp -r proto "$work/source/proto"
  "$python" -m pip wheel -q --disable-pip-version-check --no-deps -w "$work/wheel" \
    "$work/source/clients/python"
  "$python" -m pip install -q --disable-pip-version-check --force-reinstall \
    --no-deps "$work"/wheel/*.whl
  "$python" -m pip install -q --disable-pip-version-check "$work"/wheel/*.whl
  echo "$of" >"$stamp"
}
