mock_provider "google" {}

variables {
  project     = "p"
  region      = "europe-west4"
  name        = "trainer"
  labels      = {}
  image       = "image"
  account     = "trainer@p.iam.gserviceaccount.com"
  variables   = { FITSENSE_STACK = "gcp" }
  cpu         = 8
  memory_mb   = 32768
  gpu         = "nvidia-l4"
  timeout_s   = 43200
  max_retries = 3
  runners     = { train = { role = "roles/run.jobsExecutorWithOverrides", member = "serviceAccount:train@p.iam.gserviceaccount.com" } }
}

run "a_training_has_its_gpu_and_is_tried_again" {
  command = plan

  assert {
    condition     = google_cloud_run_v2_job.this.template[0].template[0].containers[0].resources[0].limits["nvidia.com/gpu"] == "1"
    error_message = "there is no GPU"
  }
  assert {
    condition     = google_cloud_run_v2_job.this.template[0].template[0].max_retries == 3
    error_message = "a task that maintenance ended would stay ended"
  }
}

run "a_small_machine_with_a_gpu_is_refused" {
  command = plan

  variables {
    cpu = 2
  }

  expect_failures = [google_cloud_run_v2_job.this]
}

run "a_gpu_task_longer_than_cloud_run_allows_is_refused" {
  command = plan

  variables {
    timeout_s = 86400
  }

  expect_failures = [google_cloud_run_v2_job.this]
}
