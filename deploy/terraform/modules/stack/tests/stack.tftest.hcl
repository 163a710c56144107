mock_provider "google" {}

variables {
  environment    = "prod"
  project        = "p"
  project_number = "1"
  region         = "europe-west4"
  domain         = "api.fitsense.example"
  cors_origins   = []
  egress         = "direct"
  images = {
    function = "f@sha256:0", trainer = "t@sha256:0", migrate = "m@sha256:0", vllm-vm = "v@sha256:0",
    profile  = "p@sha256:0", plan = "p@sha256:0", logging = "l@sha256:0", inference-router = "r@sha256:0"
  }
  database            = { tier = "db-custom-4-15360", availability = "REGIONAL", disk_gb = 100, max_connections = 400, update_track = "stable", roles_exist = true }
  model_server        = { zone = "europe-west4-a", machine_type = "g2-standard-8", machines = 2, boot_image = "image" }
  training_s          = 3600
  keep_runs_days      = 90
  secret_regions      = ["europe-west4", "europe-west1"]
  first_rotation      = "2027-03-01T00:00:00Z"
  backup_location     = "eu"
  alert_emails        = ["operator@fitsense.example"]
  teacher_usd_per_day = 10
  runbook             = "https://runbook.example"
  only_signed_images  = true
  deletion_protection = true
}

run "everything_is_wired_without_a_connector_too" {
  command = plan

  assert {
    condition     = output.urls["inference-router"] == "https://inference-router-1.europe-west4.run.app"
    error_message = "services are not where the others look for them"
  }
}

run "alerts_that_nobody_hears_are_refused" {
  command = plan

  variables {
    alert_emails = []
  }

  expect_failures = [var.alert_emails]
}

run "an_image_by_tag_is_refused" {
  command = plan

  variables {
    images = {
      function = "f:latest", trainer = "t@sha256:0", migrate = "m@sha256:0", vllm-vm = "v@sha256:0",
      profile  = "p@sha256:0", plan = "p@sha256:0", logging = "l@sha256:0", inference-router = "r@sha256:0"
    }
  }

  expect_failures = [var.images]
}
