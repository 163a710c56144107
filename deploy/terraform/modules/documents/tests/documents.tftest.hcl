mock_provider "google" {}

variables {
  project             = "p"
  location            = "europe-west4"
  deletion_protection = true
}

run "documents_can_be_brought_back" {
  command = plan

  assert {
    condition     = google_firestore_database.this.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED" && google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_ENABLED"
    error_message = "documents could be lost"
  }
  assert {
    condition     = google_firestore_backup_schedule.daily.retention == "604800s"
    error_message = "backups are not kept for a week"
  }
}
