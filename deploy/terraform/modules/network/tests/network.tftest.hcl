mock_provider "google" {}

variables {
  project = "p"
  region  = "europe-west4"
}

run "only_the_connectors_range_reaches_the_model_server" {
  command = plan

  assert {
    condition     = google_compute_firewall.router_to_model.source_ranges == toset(["10.10.1.0/28"])
    error_message = "somebody else reaches the model server"
  }
  assert {
    condition     = length(google_vpc_access_connector.this) == 1
    error_message = "there is no connector"
  }
}

run "direct_egress_needs_no_connector" {
  command = plan

  variables {
    egress = "direct"
  }

  assert {
    condition     = length(google_vpc_access_connector.this) == 0 && output.egress.connector == null
    error_message = "a connector is paid for and not used"
  }
  assert {
    condition     = google_compute_firewall.router_to_model.source_ranges == toset(["10.10.2.0/23"])
    error_message = "Cloud Run's own addresses do not reach the model server"
  }
}

run "another_egress_is_refused" {
  command = plan

  variables {
    egress = "internet"
  }

  expect_failures = [var.egress]
}
