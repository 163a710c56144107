mock_provider "google" {}

variables {
  project           = "p"
  project_number    = "1"
  labels            = {}
  regions           = ["europe-west4", "europe-west1"]
  readers           = { teacher-api-key = { teacher = "serviceAccount:teacher@p.iam.gserviceaccount.com" } }
  dead_letter_topic = "projects/p/topics/dead-letters"
  first_rotation    = "2027-03-01T00:00:00Z"
}

run "a_secret_is_replicated_rotated_and_read_by_its_readers_alone" {
  command = plan

  assert {
    condition     = length(google_secret_manager_secret.this["teacher-api-key"].replication[0].user_managed[0].replicas) == 2
    error_message = "a secret is kept in one place only"
  }
  assert {
    condition     = google_secret_manager_secret.this["teacher-api-key"].rotation[0].rotation_period == "7776000s"
    error_message = "nobody is reminded to rotate"
  }
  assert {
    condition     = [for one in google_secret_manager_secret_iam_member.reader : one.member] == ["serviceAccount:teacher@p.iam.gserviceaccount.com"]
    error_message = "somebody else may read it"
  }
}
