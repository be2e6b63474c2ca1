{{- define "deberta.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{- define "deberta.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods; a Deployment's may never change. */}}
{{- define "deberta.selector" -}}
app.kubernetes.io/name: {{ include "deberta.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end -}}

{{- define "deberta.labels" -}}
app.kubernetes.io/name: {{ include "deberta.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "deberta.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Pod Security "restricted". */}}
{{- define "deberta.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "deberta.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "deberta.args" -}}
- --listen={{ .Values.server.address }}:{{ .Values.ports.grpc }}
- --health_listen={{ .Values.server.address }}:{{ .Values.ports.health }}
- --metrics_listen={{ .Values.server.address }}:{{ .Values.ports.metrics }}
- --default_deadline_ms={{ mul .Values.server.maxCallSeconds 1000 }}
- --drain_seconds={{ .Values.server.maxCallSeconds }}
- --precision={{ .Values.server.precision }}
{{- if .Values.models.serve }}
- --models={{ join "," .Values.models.serve }}
{{- end }}
{{- if .Values.models.repository }}
- --model_repository={{ .Values.models.repository }}
{{- end }}
{{- if .Values.tls.secretName }}
- --tls_cert_file=/etc/deberta/tls/tls.crt
- --tls_key_file=/etc/deberta/tls/tls.key
{{- if .Values.tls.clientCaKey }}
- --tls_client_ca_file=/etc/deberta/tls/{{ .Values.tls.clientCaKey }}
{{- end }}
{{- end }}
{{- if .Values.tokens.secretName }}
- --tokens_file=/etc/deberta/tokens/{{ .Values.tokens.key }}
{{- end }}
{{- range $name, $value := .Values.server.flags }}
- --{{ $name }}={{ $value }}
{{- end }}
{{- end -}}
