mock_provider "google" {}

variables {
  project        = "p"
  project_number = "1"
  region         = "europe-west4"
  schedules      = { monitor = { topic = "monitor-due", cron = "17 * * * *" } }
  topics         = { monitor-due = "projects/p/topics/monitor-due" }
}

run "a_clock_publishes_and_may" {
  command = plan

  assert {
    condition     = google_cloud_scheduler_job.this["monitor"].pubsub_target[0].topic_name == "projects/p/topics/monitor-due"
    error_message = "the clock tells somebody else"
  }
  assert {
    condition     = strcontains(google_pubsub_topic_iam_member.this["monitor"].member, "gcp-sa-cloudscheduler")
    error_message = "the clock may not publish"
  }
}
