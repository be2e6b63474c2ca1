#!/usr/bin/env bash
# Tests deploy/: the plain manifest, the alerts, and the dashboard on a real
# Prometheus that scrapes a real server.
#
#   tests/deploy/run.sh [BUILD_DIR]          default build/release
#   tests/deploy/run.sh BUILD_DIR --all      the Helm chart and the Compose file as
#                                            well, by helm and kubeconform, which Go
#                                            builds the first time (minutes)
#   tests/deploy/run.sh BUILD_DIR --cluster [OPTION...]
#                                            only the chart and the manifest, on the
#                                            cluster that KUBECONFIG names; options
#                                            of cluster_test.py
#
# Tools are kept in DEBERTA_TEST_CACHE (~/.cache/deberta-serve).
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build/release}
here=tests/deploy
work=build/deploy
helm_module=helm.sh/helm/v3/cmd/helm@v3.22.0
mkdir -p $work
# shellcheck source=tests/deploy/tools.sh
. $here/tools.sh

if [ "${2:-}" = --cluster ]; then
  # shellcheck source=tests/clients/wheel.sh
  . tests/clients/wheel.sh
  need_go helm $helm_module
  need_python $here/cluster_requirements.txt venv-cluster
  install_wheel "$python" $work/cluster
  PYTHONDONTWRITEBYTECODE=1 exec "$python" $here/cluster_test.py "${@:3}"
fi

versions="1.31 1.34 1.37"
need_python $here/requirements.txt venv-deploy
need_prometheus

echo "== Dockerfile"
"$(dirname "$python")/hadolint" Dockerfile

for folder in $(sed -n 's/^add_subdirectory(\(.*\))/\1/p' CMakeLists.txt) cmake; do
  grep -qx "!$folder" .dockerignore ||
    { echo ".dockerignore does not let in $folder" >&2; exit 1; }
done

echo "== versions"
release=$(sed -n 's/^appVersion: //p' deploy/charts/deberta-server/Chart.yaml)
for file in CMakeLists.txt Dockerfile clients/python/pyproject.toml \
    deploy/compose.yaml; do
  grep -q "[ :\"]$release\b" $file ||
    { echo "$file has another version than the chart's $release" >&2; exit 1; }
done

echo "== deploy/kubernetes.yaml"
for version in $versions; do
  "$python" -m kubernetes_validate --strict --quiet -k "$version" \
    deploy/kubernetes.yaml
done
"$python" $here/manifests_test.py "$build/deberta-server" deploy/kubernetes.yaml

echo "== alerts"
promtool check config deploy/prometheus.yml
promtool test rules $here/rules_test.yml $here/rules_days_test.yml

echo "== dashboard"
"$python" $here/observed_test.py "$build" $work

[ "${2:-}" = --all ] || exit 0
need_go helm $helm_module
need_go kubeconform github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
$here/chart_test.sh "$build" "$python" $work "$versions"

echo "== compose"
"$python" $here/compose_test.py \
  "$(module_folder github.com/compose-spec/compose-go/v2@v2.9.0)/schema/compose-spec.json"
