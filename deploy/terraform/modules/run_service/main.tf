# One Cloud Run service: a function or a service of ours, as its own account, reachable by those who may.

resource "google_cloud_run_v2_service" "this" {
  project              = var.project
  name                 = var.name
  location             = var.region
  labels               = var.labels
  ingress              = var.public ? "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" : "INGRESS_TRAFFIC_INTERNAL_ONLY"
  invoker_iam_disabled = var.public
  custom_audiences     = [var.name]
  deletion_protection  = var.deletion_protection

  dynamic "binary_authorization" {
    for_each = var.only_signed_images ? [1] : []

    content {
      use_default = true
    }
  }

  scaling {
    min_instance_count = var.min_instances
    max_instance_count = var.max_instances
  }

  template {
    service_account                  = var.account
    timeout                          = "${var.timeout_s}s"
    max_instance_request_concurrency = var.concurrency
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    labels                           = var.labels

    dynamic "vpc_access" {
      for_each = var.egress == null ? [] : [var.egress]

      content {
        connector = vpc_access.value.connector
        egress    = "ALL_TRAFFIC"

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
      name    = "app"
      image   = var.image
      command = var.command
      args    = var.args

      ports {
        container_port = 8080
      }

      resources {
        limits            = { cpu = tostring(var.cpu), memory = "${var.memory_mb}Mi" }
        cpu_idle          = var.cpu_idle
        startup_cpu_boost = true
      }

      # Answers only once it has reached what it needs, so that no request comes before.
      startup_probe {
        initial_delay_seconds = 0
        period_seconds        = 2
        timeout_seconds       = 2
        failure_threshold     = var.startup_s / 2

        dynamic "http_get" {
          for_each = var.ready_path == "" ? [] : [var.ready_path]

          content {
            path = http_get.value
            port = 8080
          }
        }

        dynamic "tcp_socket" {
          for_each = var.ready_path == "" ? [1] : []

          content {
            port = 8080
          }
        }
      }

      dynamic "liveness_probe" {
        for_each = var.live_path == "" ? [] : [var.live_path]

        content {
          period_seconds    = 15
          timeout_seconds   = 5
          failure_threshold = 4

          http_get {
            path = liveness_probe.value
            port = 8080
          }
        }
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

    # Scrapes localhost:8080/metrics and writes to Managed Service for Prometheus.
    dynamic "containers" {
      for_each = var.metrics ? [1] : []

      content {
        name       = "metrics"
        image      = var.metrics_image
        depends_on = ["app"]

        resources {
          limits   = { cpu = "0.1", memory = "128Mi" }
          cpu_idle = var.cpu_idle
        }
      }
    }
  }

  # Images and traffic are the pipeline's, which moves them by steps and back; Terraform owns everything else.
  lifecycle {
    ignore_changes = [client, client_version, template[0].containers[0].image, template[0].revision, traffic]
  }
}

resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = var.invokers

  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_service.this.name
  role     = "roles/run.invoker"
  member   = each.value
}
