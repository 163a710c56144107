# Told at half, at nine tenths, at all, and when the month is going to cost more than all. A budget stops nothing.

resource "google_monitoring_notification_channel" "budget" {
  for_each = toset(var.alert_emails)

  project      = var.project
  display_name = "Budget: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.this]
}

resource "google_billing_budget" "this" {
  billing_account = var.billing_account
  display_name    = "FitSense ${var.environment}"

  budget_filter {
    projects               = ["projects/${var.project_number}"]
    calendar_period        = "MONTH"
    credit_types_treatment = "EXCLUDE_ALL_CREDITS"
  }

  amount {
    specified_amount {
      currency_code = "USD"
      units         = tostring(var.budget_usd)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]

    content {
      threshold_percent = threshold_rules.value
      spend_basis       = "CURRENT_SPEND"
    }
  }

  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = [for one in google_monitoring_notification_channel.budget : one.id]
    disable_default_iam_recipients   = false
  }
}
