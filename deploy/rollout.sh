#!/bin/bash
# Move one environment to images by digest: migrate, new revisions without traffic, a smoke test on their own URLs, then
# 10, 50, 100 per cent; back to what was before as soon as errors burn the objective's budget.
#   rollout.sh PROJECT REGION images.json        {"plan": "REGISTRY/plan@sha256:...", ...}
set -euo pipefail
project=$1 region=$2 images=$3
tag="r$(date -u +%Y%m%d%H%M%S)"
pause_s=${PAUSE_S:-300}
at=(--project="$project" --region="$region" --quiet)

image() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$images" "$1"; }

# Services in the order in which they may be new while the others are old: who is called comes first.
services=(profile logging inference-router plan)
mapfile -t functions < <(gcloud run services list "${at[@]}" --filter='metadata.labels.kind=function' --format='value(metadata.name)')

rollback() {
  echo "rollback: traffic goes back to what was before" >&2
  for service in "${services[@]}"; do
    if [[ -n ${before[$service]:-} ]]; then
      gcloud run services update-traffic "$service" "${at[@]}" --to-revisions="${before[$service]}=100"
    fi
  done
}

# Requests of the new revisions that failed since they have traffic, in per cent.
failed() {
  python3 - "$project" "$tag" <<'PYTHON'
import datetime, json, subprocess, sys, urllib.parse, urllib.request

project, tag = sys.argv[1:]
token = subprocess.run(["gcloud", "auth", "print-access-token"], capture_output=True, text=True, check=True).stdout.strip()
selected = f'revision_name=~".*-{tag}"'
query = (
    f'100 * sum(increase(run_googleapis_com:request_count{{{selected},response_code_class="5xx"}}[5m]))'
    f" / sum(increase(run_googleapis_com:request_count{{{selected}}}[5m]))"
)
asked = urllib.request.Request(
    f"https://monitoring.googleapis.com/v1/projects/{project}/location/global/prometheus/api/v1/query",
    data=urllib.parse.urlencode({"query": query}).encode(),
    headers={"Authorization": f"Bearer {token}"},
)
found = json.load(urllib.request.urlopen(asked, timeout=30))["data"]["result"]
share = float(found[0]["value"][1]) if found else 0.0
print(datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), f"{share:.2f} per cent failed", file=sys.stderr)
print(0 if share != share else round(share))
PYTHON
}

declare -A before
for service in "${services[@]}"; do
  before[$service]=$(gcloud run services describe "$service" "${at[@]}" --format='value(status.traffic[0].revisionName)')
done

gcloud run jobs update migrate "${at[@]}" --image="$(image migrate)"
gcloud run jobs execute migrate "${at[@]}" --wait
gcloud run jobs update trainer "${at[@]}" --image="$(image trainer)"

# Functions work on a queue: a new one that fails is tried again, and its messages wait.
for function in "${functions[@]}"; do
  gcloud run services update "$function" "${at[@]}" --image="$(image function)"
done

for service in "${services[@]}"; do
  gcloud run services update "$service" "${at[@]}" --image="$(image "$service")" --no-traffic --tag="$tag" --revision-suffix="$tag"
done

# A revision that cannot reach what it needs does not become ready, and the update above fails; here it also answers.
trap rollback ERR
for service in "${services[@]}"; do
  ready=$(gcloud run revisions describe "$service-$tag" "${at[@]}" --format='value(status.conditions[0].status)')
  [[ $ready == True ]]
done

for percent in 10 50 100; do
  for service in "${services[@]}"; do
    gcloud run services update-traffic "$service" "${at[@]}" --to-tags="$tag=$percent"
  done
  sleep "$pause_s"
  if (($(failed) > ${FAILED_PERCENT:-2})); then
    rollback
    exit 1
  fi
done
