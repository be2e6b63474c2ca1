#!/usr/bin/env bash
# Renders the chart with each of its value sets and validates what comes out.
# Called by run.sh, which brings helm and kubeconform:
#
#   chart_test.sh BUILD_DIR PYTHON WORK_DIR "KUBERNETES_VERSION..."
set -euo pipefail
build=$1 python=$2 work=$3
read -ra versions <<<"$4"
chart=deploy/charts/deberta-server
here=tests/deploy
# shellcheck source=tests/deploy/tools.sh
. $here/tools.sh
rendered=$work/rendered
rm -rf "$rendered" "$work/schemas"
mkdir -p "$rendered" "$work/schemas"

# A helm that `go install` built takes itself for one of Kubernetes 1.20.
newest=(--kube-version "${versions[-1]}.0")

fail() { echo "$*" >&2; exit 1; }

echo "== lint and render"
render() {  # NAME FLAG...
  helm lint --strict --quiet "${newest[@]}" "${@:2}" $chart >/dev/null || fail "lint of $1"
  helm template release $chart --namespace models "${newest[@]}" "${@:2}" \
    >"$rendered/$1.yaml"
}
render default
for values in "$chart"/ci/*-values.yaml; do
  render "$(basename "$values" -values.yaml)" --values "$values"
done
deploy/render.sh | cmp - deploy/kubernetes.yaml ||
  fail "deploy/kubernetes.yaml is not what deploy/render.sh writes"

echo "== kubeconform, strictly, for ${versions[*]}"
crds=$(module_folder github.com/prometheus-operator/prometheus-operator@v0.85.0)
"$python" $here/schemas.py "$work/schemas" \
  "$crds/example/prometheus-operator-crd" "${versions[@]}"
conform() {  # VERSION FILE...
  kubeconform -strict -summary -kubernetes-version "$1.0" \
    -schema-location "$work/schemas/{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}{{.KindSuffix}}.json" \
    -schema-location "$work/schemas/crds/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json" \
    "${@:2}"
}
for version in "${versions[@]}"; do
  conform "$version" "$rendered"/*.yaml
done
# It must be able to refuse.
for misspelt in s/maxUnavailable/maxUnavailible/ s/runAsNonRoot/runAsNoRoot/ \
    s/replacement:/replacment:/; do
  sed "$misspelt" "$rendered/observed.yaml" >"$work/misspelt.yaml"
  ! conform "${versions[0]}" "$work/misspelt.yaml" >/dev/null 2>&1 ||
    fail "kubeconform accepts $misspelt"
done

echo "== kubernetes-validate, strictly"
# It has no schemas of Prometheus' operator.
"$python" - "$rendered"/*.yaml >"$work/core.yaml" <<'END'
import sys
import yaml
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        print("---\n" + yaml.safe_dump_all(
            o for o in yaml.safe_load_all(file)
            if o and o["apiVersion"] != "monitoring.coreos.com/v1"))
END
for version in "${versions[@]}"; do
  "$python" -m kubernetes_validate --strict --quiet -k "$version" \
    "$work/core.yaml" || fail "for Kubernetes $version"
done

echo "== values that must be refused"
refused() {  # PATTERN FLAG...
  local output
  if output=$(helm template release $chart "${newest[@]}" "${@:2}" 2>&1); then
    fail "accepted: ${*:2}"
  fi
  grep -q "$1" <<<"$output" || fail "${*:2}: expected \"$1\", got: $output"
}
refused "replicas" --set replicas=3
refused "claimName" --set models.source=pvc --set "models.serve={/models/a}"
refused "models" --set models.source=pvc --set models.pvc.claimName=a
refused "initContainer" --set models.source=initContainer --set models.repository=/models
refused "imageVolume" --set models.source=imageVolume --set models.repository=/models
refused "source" --set models.source=bucket
refused "listen" --set server.flags.listen=0.0.0.0:1
refused "clientCaKey" --set tls.clientCaKey=ca.crt
refused "cpuUtilization" --set autoscaling.enabled=true,autoscaling.queueSeconds=,autoscaling.cpuUtilization=0
refused "maxCallSeconds" --set server.maxCallSeconds=0
refused "digest" --set image.digest=latest
refused "1.30" --kube-version 1.29.0

echo "== what schemas do not see"
"$python" $here/manifests_test.py "$build/deberta-server" "$rendered"/*.yaml
