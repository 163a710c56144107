#!/usr/bin/env bash
# Start-up script of the model server's machine: driver, secrets, vLLM and the agent as systemd units.
#
# Runs as root at every boot and may run again at any time: each step does nothing where it is done. What the machine
# is told is in its metadata: fitsense-image, fitsense-variables (NAME=value a line), fitsense-secrets (NAME=id a line).
# Secrets go from Secret Manager into one file on a memory disk, which only root reads; no line of any log holds one.
set -euo pipefail
set +x
umask 077

ROOT=${FITSENSE_ROOT:-}
METADATA=${FITSENSE_METADATA:-http://metadata.google.internal/computeMetadata/v1}
SECRETS=${FITSENSE_SECRETS:-https://secretmanager.googleapis.com/v1}
UNITS=$ROOT/etc/systemd/system
SETTINGS=$ROOT/etc/fitsense
RUN=$ROOT/run/fitsense
DATA=$ROOT/var/lib/fitsense
CACHE=$DATA/cache
UID_IN_IMAGE=10001

say() { echo "fitsense: $*"; }

metadata() { curl --silent --show-error --fail --retry 10 --retry-connrefused --header 'Metadata-Flavor: Google' "$METADATA/$1"; }

token() { metadata instance/service-accounts/default/token | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])'; }

# A header file, because a command line can be read by everybody on a machine.
authorised() {
  local header
  header=$(mktemp "$RUN/.header.XXXXXX")
  printf 'Authorization: Bearer %s\n' "$(token)" > "$header"
  curl --silent --show-error --fail --retry 5 --header "@$header" "$1"
  rm -f "$header"
}

# Writes a file only where its content is new; tells by its status whether it was.
put() {
  local target=$1 mode=$2 new
  new=$(mktemp "$(dirname "$target")/.new.XXXXXX")
  cat > "$new"
  chmod "$mode" "$new"
  if cmp --silent "$new" "$target"; then rm -f "$new"; return 1; fi
  mv "$new" "$target"
}

install_driver() {
  if command -v nvidia-smi > /dev/null && nvidia-smi > /dev/null; then return; fi
  say "installing the GPU driver; the machine may start anew and come back here"
  curl --silent --show-error --fail --location --output /tmp/cuda_installer.pyz \
    https://storage.googleapis.com/compute-gpu-installation-us/installer/latest/cuda_installer.pyz
  python3 /tmp/cuda_installer.pyz install_driver --installation-mode=repo --installation-branch=prod
}

need_docker() {
  if command -v docker > /dev/null && command -v nvidia-ctk > /dev/null; then return; fi
  say "the boot image has no Docker with NVIDIA's container toolkit: take a Deep Learning VM image (boot_image)"
  exit 1
}

install_ops_agent() {
  if [ ! -d "$ROOT/opt/google-cloud-ops-agent" ]; then
    say "installing the Ops Agent"
    curl --silent --show-error --fail --output /tmp/ops-agent.sh https://dl.google.com/cloudagents/add-google-cloud-ops-agent-repo.sh
    bash /tmp/ops-agent.sh --also-install
  fi
  mkdir -p "$ROOT/etc/google-cloud-ops-agent"
  if put "$ROOT/etc/google-cloud-ops-agent/config.yaml" 0644 <<'YAML'
# vLLM's own metrics, the GPU's, and the log of both units.
metrics:
  receivers:
    vllm:
      type: prometheus
      config:
        scrape_configs:
          - job_name: vllm
            scrape_interval: 15s
            metrics_path: /metrics
            static_configs: [{targets: ["127.0.0.1:8000"]}]
  service:
    pipelines:
      vllm: {receivers: [vllm]}
logging:
  receivers:
    units: {type: systemd_journald}
  service:
    pipelines:
      units: {receivers: [units]}
YAML
  then systemctl restart google-cloud-ops-agent; fi
}

fetch_secrets() {
  local name id
  # The last line may come without its end.
  while IFS='=' read -r name id || [ -n "$name" ]; do
    [ -n "$name" ] || continue
    printf '%s=' "$name"
    authorised "$SECRETS/$id/versions/latest:access" \
      | python3 -c 'import base64, json, sys; sys.stdout.write(base64.b64decode(json.load(sys.stdin)["payload"]["data"]).decode().strip())'
    echo
  done
}

unit() {
  cat <<UNIT
[Unit]
Description=$1
After=network-online.target docker.service
Wants=network-online.target
Requires=docker.service
StartLimitIntervalSec=0

[Service]
EnvironmentFile=$SETTINGS/image.env
ExecStartPre=-/usr/bin/docker rm --force $2
ExecStart=/usr/bin/docker run --rm --name $2 --network host --env-file $SETTINGS/variables.env --env-file $RUN/secrets.env --volume $DATA:/var/lib/fitsense $3
ExecStop=/usr/bin/docker stop --time 20 $2
Restart=always
RestartSec=5
TimeoutStopSec=40
TimeoutStartSec=infinity

[Install]
WantedBy=multi-user.target
UNIT
}

main() {
  local changed=0 image registry
  install --directory --mode 0755 "$UNITS" "$SETTINGS"
  install --directory --mode 0700 "$RUN"
  install --directory --owner "${FITSENSE_OWNER:-$UID_IN_IMAGE}" "$DATA" "$DATA/adapters" "$CACHE"

  install_driver
  need_docker
  install_ops_agent

  image=$(metadata instance/attributes/fitsense-image)
  registry=${image%%/*}
  echo "FITSENSE_IMAGE=$image" | put "$SETTINGS/image.env" 0644 && changed=1
  # Fetched before they are compared: what cannot be had ends the script here, and nothing is started without it.
  metadata instance/attributes/fitsense-variables > "$RUN/.variables"
  # Where the router finds vLLM; what is on this machine calls it by 127.0.0.1.
  printf '\nFITSENSE_AGENT_BACKEND=http://%s:8000\n' "$(metadata instance/network-interfaces/0/ip)" >> "$RUN/.variables"
  put "$SETTINGS/variables.env" 0644 < "$RUN/.variables" && changed=1
  metadata instance/attributes/fitsense-secrets | fetch_secrets > "$RUN/.secrets"
  put "$RUN/secrets.env" 0600 < "$RUN/.secrets" && changed=1
  rm -f "$RUN/.variables" "$RUN/.secrets"

  # --ipc=host, because vLLM's processes share memory. Port 8000 is open to the router's network only (firewall).
  unit "vLLM, on the base of what is promoted" vllm \
    "--gpus all --ipc host --env HOME=/var/lib/fitsense/cache \${FITSENSE_IMAGE} serve gpu --host 0.0.0.0 --port 8000" \
    | put "$UNITS/vllm.service" 0644 && changed=1
  unit "The agent that keeps vLLM holding what is promoted" vllm-agent "\${FITSENSE_IMAGE}" \
    | put "$UNITS/vllm-agent.service" 0644 && changed=1

  if [ "$changed" = 1 ]; then
    say "pulling $image"
    token | docker login --username oauth2accesstoken --password-stdin "https://$registry" > /dev/null
    docker pull --quiet "$image" > /dev/null
    docker logout "https://$registry" > /dev/null
    systemctl daemon-reload
    systemctl enable vllm.service vllm-agent.service
    systemctl restart vllm.service vllm-agent.service
  else
    systemctl start vllm.service vllm-agent.service
  fi
  say "vLLM and its agent run"
}

main "$@"
