mock_provider "google" {}

variables {
  images = {
    function = "f@sha256:0", trainer = "t@sha256:0", migrate = "m@sha256:0", vllm-vm = "v@sha256:0",
    profile  = "p@sha256:0", plan = "p@sha256:0", logging = "l@sha256:0", inference-router = "r@sha256:0"
  }
}

run "the_whole_environment_can_be_planned" {
  command = plan

  assert {
    condition     = contains(output.subscriptions, "config-dropped--intake")
    error_message = "the event graph's subscriptions are missing"
  }
  assert {
    condition     = output.buckets.artifacts == "fitsense-stage-artifacts"
    error_message = "buckets are not named after the project"
  }
  assert {
    condition     = output.urls.plan == "https://plan-100000000002.europe-west4.run.app"
    error_message = "services are not where the others look for them"
  }
}

run "an_environment_that_is_none_is_refused" {
  command = plan

  variables {
    environment = "production"
  }

  expect_failures = [var.environment]
}
