mock_provider "google" {}

variables {
  project       = "p"
  region        = "europe-west4"
  name          = "inference-router"
  labels        = {}
  image         = "europe-west4-docker.pkg.dev/p/fitsense/service@sha256:0"
  account       = "inference-router@p.iam.gserviceaccount.com"
  variables     = { FITSENSE_STACK = "gcp" }
  secrets       = { FITSENSE_ROUTER_API_KEYS = "router-api-keys" }
  memory_mb     = 512
  concurrency   = 80
  max_instances = 3
  timeout_s     = 300
  ready_path    = "/readyz"
  invokers      = { plan = "serviceAccount:plan@p.iam.gserviceaccount.com" }
}

run "a_service_is_internal_and_called_by_those_who_may" {
  command = plan

  assert {
    condition     = google_cloud_run_v2_service.this.ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY" && !google_cloud_run_v2_service.this.invoker_iam_disabled
    error_message = "it could be called from outside"
  }
  assert {
    condition     = keys(google_cloud_run_v2_service_iam_member.invoker) == ["plan"]
    error_message = "others may call it, or the plan service may not"
  }
  assert {
    condition     = alltrue([for one in google_cloud_run_v2_service.this.template[0].containers[0].env : one.name != "FITSENSE_ROUTER_API_KEYS" || length(one.value_source) == 1])
    error_message = "a secret stands in plain text"
  }
}

run "direct_egress_and_a_connector_exclude_each_other" {
  command = plan

  variables {
    egress = { network = "n", subnetwork = "s" }
  }

  assert {
    condition     = google_cloud_run_v2_service.this.template[0].vpc_access[0].connector == null && length(google_cloud_run_v2_service.this.template[0].vpc_access[0].network_interfaces) == 1
    error_message = "Cloud Run refuses both at once"
  }
}

run "the_front_doors_services_are_reached_through_it_alone" {
  command = plan

  variables {
    public = true
  }

  assert {
    condition     = google_cloud_run_v2_service.this.ingress == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    error_message = "it could be reached round the load balancer"
  }
}

run "longer_requests_than_cloud_run_allows_are_refused" {
  command = plan

  variables {
    timeout_s = 3601
  }

  expect_failures = [var.timeout_s]
}
