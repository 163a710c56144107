# Clocks: a message to a topic at certain times; whoever hears the topic does the work.

resource "google_cloud_scheduler_job" "this" {
  for_each = var.schedules

  project     = var.project
  region      = var.region
  name        = each.key
  description = "Publishes ${each.value.topic}."
  schedule    = each.value.cron
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = var.topics[each.value.topic]
    data       = base64encode(jsonencode({ schedule = each.key }))
  }

  retry_config {
    retry_count          = 3
    min_backoff_duration = "10s"
  }
}

resource "google_pubsub_topic_iam_member" "this" {
  for_each = var.schedules

  project = var.project
  topic   = var.topics[each.value.topic]
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${var.project_number}@gcp-sa-cloudscheduler.iam.gserviceaccount.com"
}
