mock_provider "google" {
  mock_resource "google_compute_security_policy" {
    defaults = { id = "projects/p/global/securityPolicies/fitsense" }
  }
}

variables {
  project         = "p"
  region          = "europe-west4"
  domain          = "api.fitsense.example"
  routes          = { "/v1/auth" = "profile", "/v1/plans" = "plan", "/v1/coach" = "plan" }
  run_services    = { profile = "profile", plan = "plan" }
  default_service = "profile"
}

run "addresses_are_throttled_and_logins_more" {
  command = plan

  assert {
    condition     = length([for one in google_compute_security_policy.this.rule : one if try(one.rate_limit_options[0].exceed_action, "") == "deny(429)"]) == 2
    error_message = "nobody is throttled"
  }
}

run "paths_lead_to_their_services" {
  command = apply

  assert {
    condition     = length(google_compute_url_map.this.path_matcher[0].path_rule) == 2
    error_message = "a service has no paths, or one has two rules"
  }
  assert {
    condition     = alltrue([for one in google_compute_backend_service.this : one.security_policy == google_compute_security_policy.this.id])
    error_message = "a service is not behind Cloud Armor"
  }
}

run "internal_paths_are_not_for_the_world" {
  command = plan

  variables {
    routes = { "/internal" = "profile" }
  }

  expect_failures = [var.routes]
}
