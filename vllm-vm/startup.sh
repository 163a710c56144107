#!/bin/bash
# The model server's machine at every boot: what it is told is in its metadata, what is secret in Secret Manager.
#
#   fitsense-image        the image with vLLM and the agent, by digest
#   fitsense-variables    NAME=value, a line each
#   fitsense-secrets      NAME=id of a secret, a line each
#   fitsense-base         folder below models/base/ of the artifact bucket: what vLLM serves adapters on
#
# It may run again and again: what is there is left, what is old is replaced.
set -euo pipefail

home=/var/lib/fitsense
run=/run/fitsense

metadata() {
  curl --silent --show-error --fail --retry 10 --retry-connrefused --header 'Metadata-Flavor: Google' \
    "http://metadata.google.internal/computeMetadata/v1/instance/$1"
}

install --directory --mode=0755 --owner=10001 "$home" "$home/adapters"
install --directory --mode=0700 "$run"
image=$(metadata attributes/fitsense-image)
base=$(metadata attributes/fitsense-base)
address=$(metadata network-interfaces/0/ip)

# What is secret is in memory only, and in no list of processes.
umask 077
metadata attributes/fitsense-variables >"$run/environment"
echo >>"$run/environment"
while IFS='=' read -r name id; do
  [[ -n $name ]] || continue
  value=$(gcloud secrets versions access latest --secret="$id")
  echo "$name=$value" >>"$run/environment"
  if [[ $name == FITSENSE_AGENT_KEY ]]; then echo "VLLM_API_KEY=$value" >>"$run/environment"; fi
done < <(metadata attributes/fitsense-secrets; echo)
echo "FITSENSE_AGENT_BACKEND=http://$address:8000" >>"$run/environment"
umask 022

# Metrics of vLLM and of the GPU, and the containers' logs.
if ! command -v google_cloud_ops_agent_engine >/dev/null && [[ ! -d /opt/google-cloud-ops-agent ]]; then
  curl --silent --show-error --fail --location https://dl.google.com/cloudagents/add-google-cloud-ops-agent-repo.sh |
    bash -s -- --also-install
fi
cat >/etc/google-cloud-ops-agent/config.yaml <<'AGENT'
metrics:
  receivers:
    vllm:
      type: prometheus
      config:
        scrape_configs:
          - job_name: vllm
            scrape_interval: 30s
            static_configs:
              - targets: ["127.0.0.1:8000"]
  service:
    pipelines:
      vllm:
        receivers: [vllm]
logging:
  receivers:
    containers:
      type: files
      include_paths: [/var/lib/docker/containers/*/*.log]
  processors:
    lines:
      type: parse_json
      time_key: time
      time_format: "%Y-%m-%dT%H:%M:%S.%L%z"
  service:
    pipelines:
      containers:
        receivers: [containers]
        processors: [lines]
AGENT
systemctl restart google-cloud-ops-agent

# The weights: of the artifact bucket, never of a hub.
bucket=$(sed -n 's/^FITSENSE_ARTIFACT_BUCKET=//p' "$run/environment")
gcloud storage rsync --recursive "gs://$bucket/models/base/$base" "$home/base/$base"

gcloud auth configure-docker "${image%%/*}" --quiet
docker pull "$image"
docker rm --force vllm agent 2>/dev/null || true
common=(--detach --restart=always --network=host --env-file="$run/environment" --volume="$home:$home" --log-opt max-size=50m)
docker run "${common[@]}" --name=vllm --gpus=all --ipc=host "$image" \
  serve gpu "$home/base/$base" --name "$base" --host 0.0.0.0 --port 8000 --python /opt/venv/bin/python
docker run "${common[@]}" --name=agent "$image"
