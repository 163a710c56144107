mock_provider "google" {}

variables {
  project       = "p"
  project_roles = { train = ["roles/batch.jobsEditor"], trainer = [] }
  acts_as       = { train = "trainer" }
}

run "each_has_an_account_and_no_more_than_its_roles" {
  command = plan

  assert {
    condition     = length(google_service_account.this) == 2 && length(google_project_iam_member.this) == 1
    error_message = "accounts or roles are not those that were asked for"
  }
  assert {
    condition     = google_service_account_iam_member.acts_as["train"].role == "roles/iam.serviceAccountUser"
    error_message = "the launcher may not start a job as the trainer"
  }
}

run "a_primitive_role_is_refused" {
  command = plan

  variables {
    project_roles = { train = ["roles/editor"], trainer = [] }
  }

  expect_failures = [google_project_iam_member.this]
}
