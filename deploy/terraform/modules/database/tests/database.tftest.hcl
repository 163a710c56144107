mock_provider "google" {}

variables {
  project             = "p"
  region              = "europe-west4"
  labels              = {}
  network             = "projects/p/global/networks/fitsense"
  peering             = "peered"
  tier                = "db-custom-1-3840"
  availability        = "ZONAL"
  disk_gb             = 10
  max_connections     = 100
  backup_location     = "us"
  update_track        = "canary"
  deletion_protection = true
  users               = { plan = "plan@p.iam.gserviceaccount.com" }
  migrator            = "migrate@p.iam.gserviceaccount.com"
  roles_exist         = true
}

run "it_is_private_backed_up_and_without_passwords" {
  command = plan

  assert {
    condition     = !google_sql_database_instance.this.settings[0].ip_configuration[0].ipv4_enabled && google_sql_database_instance.this.settings[0].ip_configuration[0].ssl_mode == "ENCRYPTED_ONLY"
    error_message = "the database has a public address, or talks in plain text"
  }
  assert {
    condition     = google_sql_database_instance.this.settings[0].backup_configuration[0].point_in_time_recovery_enabled
    error_message = "there is no recovery to a moment"
  }
  assert {
    condition     = { for one in google_sql_database_instance.this.settings[0].database_flags : one.name => one.value }["cloudsql.iam_authentication"] == "on"
    error_message = "services would need passwords"
  }
  assert {
    condition     = google_sql_user.service["plan"].name == "plan@p.iam" && google_sql_user.service["plan"].type == "CLOUD_IAM_SERVICE_ACCOUNT"
    error_message = "a service cannot log in as itself"
  }
}

run "roles_are_given_once_they_exist" {
  command = plan

  variables {
    roles_exist = false
  }

  assert {
    condition     = google_sql_user.service["plan"].database_roles == null
    error_message = "a role is given before there is one"
  }
}

run "an_availability_that_is_none_is_refused" {
  command = plan

  variables {
    availability = "GLOBAL"
  }

  expect_failures = [var.availability]
}
