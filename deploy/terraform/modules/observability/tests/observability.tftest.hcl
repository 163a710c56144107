mock_provider "google" {
  mock_resource "google_monitoring_slo" {
    defaults = { id = "projects/p/services/fitsense/serviceLevelObjectives/api" }
  }
}

variables {
  project             = "p"
  environment         = "dev"
  file                = "../../../observability.yaml"
  prices              = { service_usd_per_s = 0.00003, trainer_usd_per_s = 0.0004, model_server_usd_per_h = 0.85 }
  max_connections     = 100
  teacher_usd_per_day = 20
  runbook             = "https://runbook.example"
  emails              = ["operator@fitsense.example"]
  domain              = "api.fitsense.example"
}

run "every_alert_leads_to_the_runbook_and_to_somebody" {
  command = apply

  assert {
    condition = alltrue([
      for one in concat(values(google_monitoring_alert_policy.this), values(google_monitoring_alert_policy.burn), [google_monitoring_alert_policy.uptime]) :
      startswith(one.documentation[0].links[0].url, "https://runbook.example#") && length(one.notification_channels) == 1
    ])
    error_message = "an alert says nothing of what to do, or tells nobody"
  }
}

run "every_objective_has_a_fast_and_a_slow_alert_over_two_windows" {
  command = apply

  assert {
    condition     = length(google_monitoring_alert_policy.burn) == 2 * length(google_monitoring_slo.this)
    error_message = "an objective is watched at one speed only"
  }
  assert {
    condition     = alltrue([for one in google_monitoring_alert_policy.burn : length(one.conditions) == 2 && one.combiner == "AND"])
    error_message = "an alert would go on after what caused it"
  }
}

run "prices_and_limits_stand_in_queries" {
  command = apply

  assert {
    condition     = alltrue([for one in google_monitoring_alert_policy.this : !strcontains(one.conditions[0].condition_prometheus_query_language[0].query, "$")])
    error_message = "a query has a name in place of a number"
  }
  assert {
    condition     = length(google_monitoring_dashboard.this) == 3
    error_message = "a dashboard is missing"
  }
}
