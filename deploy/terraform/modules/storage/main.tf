# The buckets: what phases and trainers write, and what people drop. Nothing in them is public.

locals {
  agent = "serviceAccount:service-${var.project_number}@gs-project-accounts.iam.gserviceaccount.com"

  grants = merge([
    for bucket, roles in var.grants : merge([
      for role, members in roles : {
        for name, member in members : "${bucket}/${role}/${name}" => { bucket = bucket, role = role, member = member }
      }
    ]...)
  ]...)
}

resource "google_storage_bucket" "this" {
  for_each = var.buckets

  project                     = var.project
  name                        = each.value.name
  location                    = var.region
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = each.value.versioning
  }

  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  # Intermediate shards and checkpoints are made again from the config; datasets, reports and models are not touched.
  dynamic "lifecycle_rule" {
    for_each = each.value.expire_days

    content {
      condition {
        age            = lifecycle_rule.value
        matches_prefix = [lifecycle_rule.key]
      }
      action {
        type = "Delete"
      }
    }
  }

  dynamic "lifecycle_rule" {
    for_each = each.value.versioning ? [1] : []

    content {
      condition {
        num_newer_versions = 10
        with_state         = "ARCHIVED"
      }
      action {
        type = "Delete"
      }
    }
  }

  lifecycle_rule {
    condition {
      age = 7
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_pubsub_topic_iam_member" "storage_agent" {
  for_each = var.notifications

  project = var.project
  topic   = var.topics[each.value.topic]
  role    = "roles/pubsub.publisher"
  member  = local.agent
}

resource "google_storage_notification" "this" {
  for_each = var.notifications

  bucket             = google_storage_bucket.this[each.key].name
  topic              = var.topics[each.value.topic]
  payload_format     = "JSON_API_V1"
  event_types        = ["OBJECT_FINALIZE"]
  object_name_prefix = each.value.prefix

  depends_on = [google_pubsub_topic_iam_member.storage_agent]
}

resource "google_storage_bucket_iam_member" "this" {
  for_each = local.grants

  bucket = google_storage_bucket.this[each.value.bucket].name
  role   = each.value.role
  member = each.value.member
}
