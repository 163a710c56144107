# Secrets: places, rotation and readers. Values are put in by hand: Terraform's state would hold them in plain text.

locals {
  readers = merge([
    for id, members in var.readers : { for name, member in members : "${id}/${name}" => { id = id, member = member } }
  ]...)
}

resource "google_pubsub_topic" "rotation" {
  project                    = var.project
  name                       = "secret-rotation"
  labels                     = var.labels
  message_retention_duration = "604800s"
}

# Kept for the operator; an alert says that one waits, and the runbook says what to do.
resource "google_pubsub_subscription" "rotation" {
  project                    = var.project
  name                       = "secret-rotation--operator"
  topic                      = google_pubsub_topic.rotation.id
  labels                     = var.labels
  ack_deadline_seconds       = 600
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }

  dead_letter_policy {
    dead_letter_topic     = var.dead_letter_topic
    max_delivery_attempts = 100
  }
}

resource "google_pubsub_subscription_iam_member" "rotation_dead_letters" {
  project      = var.project
  subscription = google_pubsub_subscription.rotation.name
  role         = "roles/pubsub.subscriber"
  member       = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic_iam_member" "rotation" {
  project = var.project
  topic   = google_pubsub_topic.rotation.name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${var.project_number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
}

resource "google_secret_manager_secret" "this" {
  for_each = toset(keys(var.readers))

  project             = var.project
  secret_id           = each.key
  labels              = var.labels
  deletion_protection = true
  version_destroy_ttl = "604800s"

  replication {
    user_managed {
      dynamic "replicas" {
        for_each = var.regions

        content {
          location = replicas.value
        }
      }
    }
  }

  topics {
    name = google_pubsub_topic.rotation.id
  }

  rotation {
    next_rotation_time = var.first_rotation
    rotation_period    = "${var.rotation_days * 86400}s"
  }

  # The service moves the next time on by itself.
  lifecycle {
    ignore_changes = [rotation[0].next_rotation_time]
  }

  depends_on = [google_pubsub_topic_iam_member.rotation]
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = local.readers

  project   = var.project
  secret_id = google_secret_manager_secret.this[each.value.id].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value.member
}
