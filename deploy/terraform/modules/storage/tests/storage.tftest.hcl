mock_provider "google" {}

variables {
  project        = "p"
  project_number = "1"
  region         = "europe-west4"
  labels         = {}
  buckets = {
    artifacts = { name = "p-artifacts", versioning = false, expire_days = { "runs/" = 90 } }
    configs   = { name = "p-configs", versioning = true, expire_days = {} }
  }
  notifications = { configs = { topic = "config-dropped", prefix = "runs/" } }
  topics        = { config-dropped = "projects/p/topics/config-dropped" }
  grants        = { configs = { "roles/storage.objectUser" = { intake = "serviceAccount:intake@p.iam.gserviceaccount.com" } } }
}

run "buckets_are_private_and_uniform" {
  command = plan

  assert {
    condition     = alltrue([for one in google_storage_bucket.this : one.public_access_prevention == "enforced" && one.uniform_bucket_level_access])
    error_message = "a bucket could be made public"
  }
  assert {
    condition     = google_storage_bucket.this["configs"].versioning[0].enabled && !google_storage_bucket.this["artifacts"].versioning[0].enabled
    error_message = "versioning is not as the topology says"
  }
}

run "only_the_configs_of_runs_are_told_of" {
  command = plan

  assert {
    condition     = google_storage_notification.this["configs"].object_name_prefix == "runs/" && google_storage_notification.this["configs"].event_types == toset(["OBJECT_FINALIZE"])
    error_message = "other objects would begin runs"
  }
  assert {
    condition     = google_pubsub_topic_iam_member.storage_agent["configs"].member == "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com"
    error_message = "Cloud Storage may not publish"
  }
}
