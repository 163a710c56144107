# Cloud SQL for Postgres: a private address, no passwords, backups with recovery to any moment of the last week.

resource "google_sql_database_instance" "this" {
  project             = var.project
  name                = "fitsense"
  region              = var.region
  database_version    = "POSTGRES_17"
  deletion_protection = var.deletion_protection

  settings {
    tier                        = var.tier
    edition                     = "ENTERPRISE"
    availability_type           = var.availability
    disk_type                   = "PD_SSD"
    disk_size                   = var.disk_gb
    disk_autoresize             = true
    disk_autoresize_limit       = var.disk_gb * 10
    deletion_protection_enabled = var.deletion_protection
    user_labels                 = var.labels

    ip_configuration {
      ipv4_enabled                                  = false
      private_network                               = var.network
      ssl_mode                                      = "ENCRYPTED_ONLY"
      enable_private_path_for_google_cloud_services = false
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "02:00"
      location                       = var.backup_location
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7

      backup_retention_settings {
        retained_backups = var.retained_backups
        retention_unit   = "COUNT"
      }
    }

    maintenance_window {
      day          = 7
      hour         = 3
      update_track = var.update_track
    }

    insights_config {
      query_insights_enabled  = true
      record_application_tags = false
      record_client_address   = false
    }

    dynamic "database_flags" {
      for_each = merge(
        {
          "cloudsql.iam_authentication"         = "on"
          "cloudsql.enable_pgaudit"             = "on"
          "max_connections"                     = tostring(var.max_connections)
          "idle_in_transaction_session_timeout" = "60000"
          "log_checkpoints"                     = "on"
          "log_connections"                     = "on"
          "log_disconnections"                  = "on"
          "log_duration"                        = "off"
          "log_hostname"                        = "off"
          "log_lock_waits"                      = "on"
          "log_min_duration_statement"          = "-1"
          "log_min_error_statement"             = "error"
          "log_min_messages"                    = "warning"
          "log_statement"                       = "ddl"
          "pgaudit.log"                         = "ddl,role"
        },
        var.flags,
      )

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.peering != ""
      error_message = "the network is not peered with Cloud SQL"
    }
    ignore_changes = [settings[0].disk_size]
  }
}

resource "google_sql_database" "this" {
  project  = var.project
  instance = google_sql_database_instance.this.name
  name     = "fitsense"
}

# The services' accounts log in as themselves. What each may do is its role's, which migrations make; so a user gets its
# role by the second apply, when the first migration has run.
resource "google_sql_user" "service" {
  for_each = var.users

  project        = var.project
  instance       = google_sql_database_instance.this.name
  name           = trimsuffix(each.value, ".gserviceaccount.com")
  type           = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles = var.roles_exist ? ["fitsense_${each.key}"] : null
}

resource "google_sql_user" "migrator" {
  project        = var.project
  instance       = google_sql_database_instance.this.name
  name           = trimsuffix(var.migrator, ".gserviceaccount.com")
  type           = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles = ["cloudsqlsuperuser"]
}
