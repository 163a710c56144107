mock_provider "google" {}

variables {
  environment     = "prod"
  project         = "fitsense-prod"
  project_number  = "3"
  repository      = "owner/fitsense"
  billing_account = "000000-000000-000000"
  budget_usd      = 1000
  alert_emails    = ["operator@fitsense.example"]
}

run "only_this_repositorys_tags_may_deploy_to_prod" {
  command = plan

  assert {
    condition     = strcontains(google_iam_workload_identity_pool_provider.this.attribute_condition, "assertion.repository == 'owner/fitsense'")
    error_message = "another repository could deploy"
  }
  assert {
    condition     = strcontains(google_iam_workload_identity_pool_provider.this.attribute_condition, "startsWith('refs/tags/v')")
    error_message = "a branch could deploy to prod"
  }
}

run "dev_takes_main_and_holds_the_images" {
  command = plan

  variables {
    environment = "dev"
    project     = "fitsense-dev"
  }

  assert {
    condition     = strcontains(google_iam_workload_identity_pool_provider.this.attribute_condition, "refs/heads/main")
    error_message = "any branch could deploy to dev"
  }
  assert {
    condition     = length(google_artifact_registry_repository.images) == 1 && google_artifact_registry_repository.images[0].docker_config[0].immutable_tags
    error_message = "a tag could be moved to another image"
  }
}

run "somebody_is_told_before_the_money_is_gone" {
  command = plan

  assert {
    condition     = length(google_billing_budget.this.threshold_rules) == 4
    error_message = "a threshold is missing"
  }
}

run "prod_runs_signed_images_only" {
  command = plan

  assert {
    condition     = google_binary_authorization_policy.this.default_admission_rule[0].evaluation_mode == "REQUIRE_ATTESTATION"
    error_message = "anything may run"
  }
}

run "a_repository_without_an_owner_is_refused" {
  command = plan

  variables {
    repository = "fitsense"
  }

  expect_failures = [var.repository]
}
