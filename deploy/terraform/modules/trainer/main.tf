# Training: a Cloud Run Job with a GPU, what Batch needs to run the same image on a Spot machine, and how both tell that
# a training has ended. Google has no resource for a Batch job: `train` sends them, as itself, to run as the trainer.

module "job" {
  source = "../run_job"

  project     = var.project
  region      = var.region
  name        = var.name
  labels      = var.labels
  image       = var.image
  account     = var.account
  variables   = var.variables
  cpu         = 8
  memory_mb   = 32768
  gpu         = var.gpu
  timeout_s   = var.timeout_s
  max_retries = 3
  runners = merge(
    { for name, member in var.launchers : "${name}-run" => { role = "roles/run.jobsExecutorWithOverrides", member = member } },
    { for name, member in var.watchers : "${name}-watch" => { role = "roles/run.viewer", member = member } },
  )
}

# The audit log says when an execution is over; the sink's own identity publishes it.
resource "google_logging_project_sink" "job_ended" {
  project                = var.project
  name                   = "trainings-that-ended"
  destination            = "pubsub.googleapis.com/${var.job_ended_topic}"
  unique_writer_identity = true

  filter = join(" AND ", [
    "resource.type=\"cloud_run_job\"",
    "resource.labels.job_name=\"${var.name}\"",
    "logName=\"projects/${var.project}/logs/cloudaudit.googleapis.com%2Fsystem_event\"",
    "protoPayload.methodName=\"/Jobs.RunJob\"",
  ])
}

resource "google_pubsub_topic_iam_member" "sink" {
  project = var.project
  topic   = var.job_ended_topic
  role    = "roles/pubsub.publisher"
  member  = google_logging_project_sink.job_ended.writer_identity
}

resource "google_pubsub_topic_iam_member" "batch" {
  project = var.project
  topic   = var.job_ended_topic
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${var.project_number}@gcp-sa-cloudbatch.iam.gserviceaccount.com"
}
