#!/usr/bin/env bash
# Prints deploy/kubernetes.yaml: what the chart gives by its defaults, for those
# who have no Helm.
#
#   deploy/render.sh > deploy/kubernetes.yaml
set -euo pipefail
cd "$(dirname "$0")/charts/deberta-server"
cat <<'END'
# deberta-server with the demo models of the image, without Helm: what the chart
# deploy/charts/deberta-server gives by its defaults. Written by deploy/render.sh.
#
#   kubectl apply -f deploy/kubernetes.yaml
END
# Nothing of it is Helm's to look after.
# Nor does it depend on what helm takes for the cluster's version.
helm template deberta-server . --skip-tests --kube-version 1.30.0 |
  sed '/^# Source: /d; /helm\.sh\/chart:/d; /managed-by: Helm$/d'
