# Topics, the dead-letter topic, and subscriptions: pushed with an identity token, or asked by machines on the network.

locals {
  agent = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  subscriptions = merge(
    { for id, one in google_pubsub_subscription.push : id => one.name },
    { for id, one in google_pubsub_subscription.pull : id => one.name },
  )

  publishers = merge([
    for topic, members in var.publishers : { for name, member in members : "${topic}/${name}" => { topic = topic, member = member } }
  ]...)
}

resource "google_pubsub_topic" "event" {
  for_each = var.topics

  project                    = var.project
  name                       = each.key
  labels                     = var.labels
  message_retention_duration = var.retention

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

resource "google_pubsub_topic" "dead_letters" {
  project                    = var.project
  name                       = var.dead_letter_topic
  labels                     = var.labels
  message_retention_duration = var.retention

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

resource "google_pubsub_subscription" "push" {
  for_each = var.push_edges

  project                    = var.project
  name                       = each.key
  topic                      = google_pubsub_topic.event[each.value.topic].id
  labels                     = var.labels
  ack_deadline_seconds       = each.value.timeout_s
  message_retention_duration = var.retention

  # Never: a subscription that nothing used for a month would be gone, and its messages with it.
  expiration_policy {
    ttl = ""
  }

  push_config {
    push_endpoint = "${var.urls[each.value.subscriber]}${each.value.path == "/" ? "" : each.value.path}"

    # The audience is the subscriber's name, which its Cloud Run service accepts as a custom audience.
    oidc_token {
      service_account_email = var.push_account
      audience              = each.value.subscriber
    }
  }

  retry_policy {
    minimum_backoff = "${var.retry.cloud.min_backoff_s}s"
    maximum_backoff = "${var.retry.cloud.max_backoff_s}s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = var.retry.max_delivery_attempts
  }
}

resource "google_pubsub_subscription" "pull" {
  for_each = var.pull_edges

  project                    = var.project
  name                       = each.key
  topic                      = google_pubsub_topic.event[each.value.topic].id
  labels                     = var.labels
  ack_deadline_seconds       = each.value.timeout_s
  message_retention_duration = var.retention

  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "${var.retry.cloud.min_backoff_s}s"
    maximum_backoff = "${var.retry.cloud.max_backoff_s}s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = var.retry.max_delivery_attempts
  }
}

# Whoever hears dead letters is tried for as long as they are kept: they have nowhere else to go.
resource "google_pubsub_subscription" "dead_letters" {
  project                    = var.project
  name                       = var.dead_letter_edge.id
  topic                      = google_pubsub_topic.dead_letters.id
  labels                     = var.labels
  ack_deadline_seconds       = var.dead_letter_edge.timeout_s
  message_retention_duration = var.retention

  expiration_policy {
    ttl = ""
  }

  push_config {
    push_endpoint = var.urls[var.dead_letter_edge.subscriber]

    oidc_token {
      service_account_email = var.push_account
      audience              = var.dead_letter_edge.subscriber
    }
  }

  retry_policy {
    minimum_backoff = "${var.retry.cloud.min_backoff_s}s"
    maximum_backoff = "${var.retry.cloud.max_backoff_s}s"
  }
}

# Dead-lettering is done by Pub/Sub's own agent: it publishes to the one topic and acknowledges on the other side.
resource "google_pubsub_topic_iam_member" "dead_letters" {
  project = var.project
  topic   = google_pubsub_topic.dead_letters.name
  role    = "roles/pubsub.publisher"
  member  = local.agent
}

resource "google_pubsub_subscription_iam_member" "dead_letters" {
  for_each = local.subscriptions

  project      = var.project
  subscription = each.value
  role         = "roles/pubsub.subscriber"
  member       = local.agent
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = local.publishers

  project = var.project
  topic   = google_pubsub_topic.event[each.value.topic].name
  role    = "roles/pubsub.publisher"
  member  = each.value.member
}

resource "google_pubsub_subscription_iam_member" "puller" {
  for_each = var.pull_edges

  project      = var.project
  subscription = google_pubsub_subscription.pull[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = var.pullers[each.value.subscriber]
}
