mock_provider "google" {
  mock_resource "google_logging_project_sink" {
    defaults = { writer_identity = "serviceAccount:sink@gcp-sa-logging.iam.gserviceaccount.com" }
  }
}

variables {
  project         = "p"
  project_number  = "1"
  region          = "europe-west4"
  name            = "trainer"
  labels          = {}
  image           = "image"
  account         = "trainer@p.iam.gserviceaccount.com"
  variables       = {}
  launchers       = { train = "serviceAccount:train@p.iam.gserviceaccount.com" }
  watchers        = { job-ended = "serviceAccount:job-ended@p.iam.gserviceaccount.com" }
  job_ended_topic = "projects/p/topics/job-ended"
}

run "the_end_of_a_training_is_published_wherever_it_ran" {
  command = apply

  assert {
    condition     = google_pubsub_topic_iam_member.sink.member == "serviceAccount:sink@gcp-sa-logging.iam.gserviceaccount.com"
    error_message = "the audit log's sink may not publish"
  }
  assert {
    condition     = strcontains(google_pubsub_topic_iam_member.batch.member, "gcp-sa-cloudbatch")
    error_message = "Batch may not publish"
  }
  assert {
    condition     = strcontains(google_logging_project_sink.job_ended.filter, "/Jobs.RunJob")
    error_message = "the sink hears of something else"
  }
}
