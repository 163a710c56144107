#!/bin/sh
# Fetch what Terraform made of each service, for skaffold to put new images into: deploy/cloudrun/SERVICE.yaml.
#   sh deploy/export-services.sh PROJECT REGION
set -eu
project=$1
region=$2
mkdir -p deploy/cloudrun
for service in profile plan logging inference-router; do
  # The pipeline's image becomes skaffold's name for it; traffic is not skaffold's to move.
  gcloud run services describe "$service" --project="$project" --region="$region" --format=export |
    sed -e "s#image: .*/$service@sha256:.*#image: $service#" -e '/^  traffic:/,$d' >"deploy/cloudrun/$service.yaml"
done
