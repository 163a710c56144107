# One Cloud Run Job: it waits until somebody runs it, and its retries go on where it stopped.

resource "google_cloud_run_v2_job" "this" {
  project             = var.project
  name                = var.name
  location            = var.region
  labels              = var.labels
  deletion_protection = false

  template {
    task_count  = 1
    parallelism = 1

    template {
      service_account               = var.account
      timeout                       = "${var.timeout_s}s"
      max_retries                   = var.max_retries
      execution_environment         = "EXECUTION_ENVIRONMENT_GEN2"
      gpu_zonal_redundancy_disabled = var.gpu == "" ? null : true

      dynamic "node_selector" {
        for_each = var.gpu == "" ? [] : [var.gpu]

        content {
          accelerator = node_selector.value
        }
      }

      dynamic "vpc_access" {
        for_each = var.egress == null ? [] : [var.egress]

        content {
          connector = vpc_access.value.connector
          egress    = "ALL_TRAFFIC" # a call to a service counts as internal only from the network

          dynamic "network_interfaces" {
            for_each = vpc_access.value.connector == null ? [1] : []

            content {
              network    = vpc_access.value.network
              subnetwork = vpc_access.value.subnetwork
              tags       = [var.name]
            }
          }
        }
      }

      containers {
        image   = var.image
        command = var.command
        args    = var.args

        resources {
          limits = merge(
            { cpu = tostring(var.cpu), memory = "${var.memory_mb}Mi" },
            var.gpu == "" ? {} : { "nvidia.com/gpu" = "1" },
          )
        }

        dynamic "env" {
          for_each = var.variables

          content {
            name  = env.key
            value = env.value
          }
        }

        dynamic "env" {
          for_each = var.secrets

          content {
            name = env.key

            value_source {
              secret_key_ref {
                secret  = env.value
                version = "latest"
              }
            }
          }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [client, client_version, template[0].template[0].containers[0].image]

    precondition {
      condition     = var.gpu == "" || (var.cpu >= 4 && var.memory_mb >= 16384)
      error_message = "Cloud Run gives a GPU to 4 processors and 16 GiB at least."
    }
    precondition {
      condition     = var.gpu == "" || var.timeout_s <= 43200
      error_message = "Cloud Run ends a GPU task after 12 hours; longer trainings belong on Batch."
    }
  }
}

resource "google_cloud_run_v2_job_iam_member" "runner" {
  for_each = var.runners

  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_job.this.name
  role     = each.value.role
  member   = each.value.member
}
