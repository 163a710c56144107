# What a project needs before anything else: APIs, a bucket for Terraform's state, a registry for images, a door for the
# pipeline without keys, and a budget. A person applies it once for each of the three projects, with state on disk, and
# moves the state into the bucket that it made.

locals {
  apis = toset([
    "artifactregistry", "batch", "billingbudgets", "binaryauthorization", "certificatemanager", "cloudbuild",
    "cloudkms", "cloudresourcemanager", "cloudscheduler", "cloudtrace", "compute", "containeranalysis", "firestore",
    "iam", "iamcredentials", "logging", "monitoring", "pubsub", "run", "secretmanager", "servicenetworking",
    "sqladmin", "storage", "sts", "vpcaccess",
  ])
}

resource "google_project_service" "this" {
  for_each = local.apis

  project            = var.project
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

resource "google_storage_bucket" "state" {
  project                     = var.project
  name                        = "${var.project}-terraform"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      num_newer_versions = 50
    }
    action {
      type = "Delete"
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

# Dev's registry holds the images of all three: the same digest is deployed everywhere.
resource "google_artifact_registry_repository" "images" {
  count = var.environment == "dev" ? 1 : 0

  project       = var.project
  location      = var.region
  repository_id = "fitsense"
  format        = "DOCKER"
  description   = "FitSense's images, by digest."

  docker_config {
    immutable_tags = true
  }

  cleanup_policies {
    id     = "keep-what-is-tagged"
    action = "KEEP"

    condition {
      tag_state = "TAGGED"
    }
  }

  cleanup_policies {
    id     = "drop-what-is-not"
    action = "DELETE"

    condition {
      tag_state  = "UNTAGGED"
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.this]
}

# Cloud Run, Batch and the model server of the other projects pull from it.
resource "google_artifact_registry_repository_iam_member" "reader" {
  for_each = var.environment == "dev" ? var.image_readers : {}

  project    = var.project
  location   = var.region
  repository = google_artifact_registry_repository.images[0].name
  role       = "roles/artifactregistry.reader"
  member     = each.value
}

resource "google_artifact_registry_repository_iam_member" "writer" {
  count = var.environment == "dev" ? 1 : 0

  project    = var.project
  location   = var.region
  repository = google_artifact_registry_repository.images[0].name
  role       = "roles/artifactregistry.writer"
  member     = local.pipeline
}

# Health data: who read what is written down.
resource "google_project_iam_audit_config" "this" {
  for_each = toset(["secretmanager.googleapis.com", "cloudsql.googleapis.com", "storage.googleapis.com"])

  project = var.project
  service = each.key

  audit_log_config {
    log_type = "DATA_READ"
  }

  audit_log_config {
    log_type = "DATA_WRITE"
  }
}
