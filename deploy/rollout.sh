#!/bin/bash
# Move one environment to images by digest: migrate, new revisions without traffic, each of which has to become ready and
# to answer at the URL of its tag, then functions, then 10, 50, 100 per cent; back to what was before as soon as errors
# burn the objective's budget, or as soon as nobody can say whether they do.
#   rollout.sh PROJECT REGION images.json        {"plan": "REGISTRY/plan@sha256:...", ...}
set -euo pipefail
project=$1 region=$2 images=$3
tag="r$(date -u +%Y%m%d%H%M%S)"
pause_s=${PAUSE_S:-300}
monitoring=${MONITORING:-https://monitoring.googleapis.com}
at=(--project="$project" --region="$region" --quiet)

# An image by name. One by tag could be another one in the next environment.
image() {
  python3 - "$images" "$1" <<'PYTHON'
import json, re, sys

found = json.load(open(sys.argv[1]))[sys.argv[2]]
if not re.search(r"@sha256:[0-9a-f]{64}$", found):
    sys.exit(f"{sys.argv[2]}: {found} is no image by digest")
print(found)
PYTHON
}

# The revision that has most of a service's traffic.
serving() {
  gcloud run services describe "$1" "${at[@]}" --format='json(status.traffic)' | python3 -c '
import json, sys
traffic = json.load(sys.stdin)["status"]["traffic"]
print(max(traffic, key=lambda one: one.get("percent", 0))["revisionName"])'
}

# Requests of the new revisions that failed since they have traffic, in per cent.
failed() {
  python3 - "$monitoring" "$project" "$tag" <<'PYTHON'
import datetime, json, subprocess, sys, urllib.parse, urllib.request

monitoring, project, tag = sys.argv[1:]
token = subprocess.run(["gcloud", "auth", "print-access-token"], capture_output=True, text=True, check=True).stdout.strip()
selected = f'revision_name=~".*-{tag}"'
query = (
    f'100 * sum(increase(run_googleapis_com:request_count{{{selected},response_code_class="5xx"}}[5m]))'
    f" / sum(increase(run_googleapis_com:request_count{{{selected}}}[5m]))"
)
asked = urllib.request.Request(
    f"{monitoring}/v1/projects/{project}/location/global/prometheus/api/v1/query",
    data=urllib.parse.urlencode({"query": query}).encode(),
    headers={"Authorization": f"Bearer {token}"},
)
found = json.load(urllib.request.urlopen(asked, timeout=30))["data"]["result"]
share = float(found[0]["value"][1]) if found else 0.0
print(datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), f"{share:.2f} per cent failed", file=sys.stderr)
print(0 if share != share else round(share))
PYTHON
}

# Services in the order in which they may be new while the others are old: who is called comes first.
services=(profile logging inference-router plan)
mapfile -t functions < <(gcloud run services list "${at[@]}" --filter='metadata.labels.kind=function' --format='value(metadata.name)')
declare -A before image_of
# Asked for here, so that one that is missing ends the script before anything has moved.
for name in "${services[@]}" function migrate trainer; do image_of[$name]=$(image "$name"); done
for service in "${services[@]}"; do before[$service]=$(serving "$service"); done
for function in "${functions[@]}"; do
  before[$function]=$(gcloud run services describe "$function" "${at[@]}" --format='value(spec.template.spec.containers[0].image)')
done

rollback() {
  trap - ERR
  echo "rollback: everything goes back to what was before" >&2
  for service in "${services[@]}"; do
    gcloud run services update-traffic "$service" "${at[@]}" --to-revisions="${before[$service]}=100" ||
      echo "rollback: $service did not go back; see deploy/runbook.md" >&2
  done
  for function in "${functions[@]}"; do
    gcloud run services update "$function" "${at[@]}" --image="${before[$function]}" ||
      echo "rollback: $function did not go back; see deploy/runbook.md" >&2
  done
}

gcloud run jobs update migrate "${at[@]}" --image="${image_of[migrate]}"
gcloud run jobs execute migrate "${at[@]}" --wait

for service in "${services[@]}"; do
  gcloud run services update "$service" "${at[@]}" --image="${image_of[$service]}" --no-traffic --tag="$tag" --revision-suffix="$tag"
done
for service in "${services[@]}"; do
  ready=$(gcloud run revisions describe "$service-$tag" "${at[@]}" --format='value(status.conditions[0].status)')
  if [[ $ready != True ]]; then
    echo "$service-$tag is not ready; nothing has moved" >&2
    exit 1
  fi
done

# At their own URLs they are reachable from the network alone, so a job asks. The router lets services in only, and
# has been asked by its start-up probe.
urls=""
for service in profile logging plan; do
  urls+=",$(gcloud run services describe "$service" "${at[@]}" --format='json(status.traffic)' | python3 -c '
import json, sys
print(next(one["url"] for one in json.load(sys.stdin)["status"]["traffic"] if one.get("tag") == sys.argv[1]))' "$tag")"
done
gcloud run jobs execute migrate "${at[@]}" --wait --args="python,-m,deploy.smoke$urls"

# Functions work on a queue: a new one that fails is tried again, and its messages wait.
trap rollback ERR
gcloud run jobs update trainer "${at[@]}" --image="${image_of[trainer]}"
for function in "${functions[@]}"; do
  # `train` also tells Batch which image to run.
  more=()
  if [[ $function == train ]]; then more=(--update-env-vars="FITSENSE_TRAINER_IMAGE=${image_of[trainer]}"); fi
  gcloud run services update "$function" "${at[@]}" --image="${image_of[function]}" "${more[@]}"
done

for percent in 10 50 100; do
  for service in "${services[@]}"; do
    gcloud run services update-traffic "$service" "${at[@]}" --to-tags="$tag=$percent"
  done
  sleep "$pause_s"
  share=$(failed)
  if ((share > ${FAILED_PERCENT:-2})); then
    rollback
    exit 1
  fi
done

# What came before needs its tag no more, and tags are limited.
trap - ERR
for service in "${services[@]}"; do
  gcloud run services update-traffic "$service" "${at[@]}" --to-revisions="$service-$tag=100"
  gcloud run services update-traffic "$service" "${at[@]}" --clear-tags
done
