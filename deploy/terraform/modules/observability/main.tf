# What is watched, out of deploy/observability.yaml: log metrics, dashboards, objectives, alerts, uptime.

locals {
  watched = yamldecode(templatefile(var.file, merge(var.prices, { max_connections = var.max_connections, teacher_usd_per_day = var.teacher_usd_per_day })))

  # How a legend names a label; in two pieces, because in one it would be a reference.
  label = join("", ["$", "{metric.labels."])

  burns = merge([
    for slo, one in local.watched.slos : {
      for speed, burn in local.watched.burn_rates : "${slo}-${speed}" => merge(burn, { slo = slo, title = one.title, speed = speed })
    }
  ]...)
}

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.emails)

  project      = var.project
  display_name = each.key
  type         = "email"
  labels       = { email_address = each.key }
}

resource "google_logging_metric" "this" {
  for_each = local.watched.logs

  project     = var.project
  name        = each.key
  description = each.value.says
  filter      = "resource.type=(\"cloud_run_revision\" OR \"cloud_run_job\") AND jsonPayload.message=\"${each.value.message}\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = can(each.value.value) ? "DISTRIBUTION" : "INT64"
    unit        = try(each.value.unit, "1")

    dynamic "labels" {
      for_each = toset(each.value.labels)

      content {
        key        = labels.value
        value_type = "STRING"
      }
    }
  }

  value_extractor  = can(each.value.value) ? "EXTRACT(jsonPayload.${each.value.value})" : null
  label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${label})" }

  dynamic "bucket_options" {
    for_each = can(each.value.value) ? [1] : []

    content {
      exponential_buckets {
        num_finite_buckets = 40
        growth_factor      = 2
        scale              = 0.001
      }
    }
  }
}

resource "google_monitoring_dashboard" "this" {
  for_each = local.watched.dashboards

  project = var.project
  dashboard_json = jsonencode({
    displayName = "FitSense ${var.environment}: ${each.value.title}"
    mosaicLayout = {
      columns = 48
      tiles = [
        for index, tile in each.value.tiles : {
          xPos   = (index % 3) * 16
          yPos   = floor(index / 3) * 14
          width  = 16
          height = 14
          widget = {
            title = tile.title
            xyChart = {
              dataSets = [
                for legend, query in tile.queries : {
                  plotType       = "LINE"
                  legendTemplate = replace(replace(legend, "{{", local.label), "}}", "}")
                  timeSeriesQuery = {
                    prometheusQuery = query
                    unitOverride    = tile.unit
                  }
                }
              ]
            }
          }
        }
      ]
    }
  })
}

resource "google_monitoring_custom_service" "this" {
  project      = var.project
  service_id   = "fitsense"
  display_name = "FitSense ${var.environment}"
}

resource "google_monitoring_slo" "this" {
  for_each = local.watched.slos

  project             = var.project
  service             = google_monitoring_custom_service.this.service_id
  slo_id              = each.key
  display_name        = each.value.title
  goal                = each.value.goal
  rolling_period_days = 28

  request_based_sli {
    dynamic "good_total_ratio" {
      for_each = can(each.value.bad) ? [1] : []

      content {
        total_service_filter = each.value.total
        bad_service_filter   = each.value.bad
      }
    }

    dynamic "distribution_cut" {
      for_each = can(each.value.cut_s) ? [1] : []

      content {
        distribution_filter = each.value.distribution

        range {
          max = each.value.cut_s
        }
      }
    }
  }
}

resource "google_monitoring_alert_policy" "burn" {
  for_each = local.burns

  project               = var.project
  display_name          = "${var.environment}: ${each.value.title}: the budget burns ${each.value.speed}"
  combiner              = "AND"
  severity              = each.value.severity
  notification_channels = [for one in google_monitoring_notification_channel.email : one.id]

  dynamic "conditions" {
    for_each = { long = each.value.long, short = each.value.short }

    content {
      display_name = "over ${conditions.value}"

      condition_threshold {
        filter          = "select_slo_burn_rate(\"${google_monitoring_slo.this[each.value.slo].id}\", \"${conditions.value}\")"
        comparison      = "COMPARISON_GT"
        threshold_value = each.value.rate
        duration        = "0s"
      }
    }
  }

  documentation {
    content   = "${each.value.title}: at this rate the budget of a month is gone too soon. ${var.runbook}#slo-${each.value.slo}"
    mime_type = "text/markdown"

    links {
      display_name = "Runbook"
      url          = "${var.runbook}#slo-${each.value.slo}"
    }
  }
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.watched.alerts

  project               = var.project
  display_name          = "${var.environment}: ${each.value.says}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = [for one in google_monitoring_notification_channel.email : one.id]

  conditions {
    display_name = each.value.says

    condition_prometheus_query_language {
      query                     = each.value.query
      duration                  = each.value.for
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    content   = "${each.value.says} ${var.runbook}#${each.key}"
    mime_type = "text/markdown"

    links {
      display_name = "Runbook"
      url          = "${var.runbook}#${each.key}"
    }
  }

  depends_on = [google_logging_metric.this]
}

# Through the front door, as users come. The answer to nobody is 401, which says that a service is there to refuse.
resource "google_monitoring_uptime_check_config" "api" {
  project            = var.project
  display_name       = "${var.environment}: the front door"
  timeout            = "10s"
  period             = "60s"
  log_check_failures = true

  http_check {
    path         = "/v1/me"
    port         = 443
    use_ssl      = true
    validate_ssl = true

    accepted_response_status_codes {
      status_value = 401
    }
  }

  monitored_resource {
    type   = "uptime_url"
    labels = { project_id = var.project, host = var.domain }
  }
}

resource "google_monitoring_alert_policy" "uptime" {
  project               = var.project
  display_name          = "${var.environment}: the front door does not answer"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = [for one in google_monitoring_notification_channel.email : one.id]

  conditions {
    display_name = "the front door does not answer"

    condition_threshold {
      filter          = "metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND resource.type=\"uptime_url\" AND metric.labels.check_id=\"${google_monitoring_uptime_check_config.api.uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "120s"

      aggregations {
        alignment_period     = "120s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }

      trigger {
        count = 1
      }
    }
  }

  documentation {
    content   = "Checked from several places on earth. ${var.runbook}#front-door"
    mime_type = "text/markdown"

    links {
      display_name = "Runbook"
      url          = "${var.runbook}#front-door"
    }
  }
}
