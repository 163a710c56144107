# The pipeline's way in: GitHub says which repository and ref a workflow runs for, and Google believes GitHub. There is no
# key to lose. Grants are to the workflow itself, no account in between.

locals {
  pipeline = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.this.name}/attribute.environment/${var.environment}"

  # Enough to move images, traffic and jobs; what Terraform makes, a person applies after having read the plan.
  pipeline_roles = toset(["roles/run.developer", "roles/monitoring.viewer"])
}

resource "google_iam_workload_identity_pool" "this" {
  project                   = var.project
  workload_identity_pool_id = "github"
  display_name              = "GitHub Actions"

  depends_on = [google_project_service.this]
}

resource "google_iam_workload_identity_pool_provider" "this" {
  project                            = var.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.this.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  display_name                       = "GitHub Actions"

  # The environment is in the token only where the job names it, and GitHub lets a job name it under its own rules:
  # prod asks for a reviewer.
  attribute_mapping = {
    "google.subject"        = "assertion.sub"
    "attribute.repository"  = "assertion.repository"
    "attribute.ref"         = "assertion.ref"
    "attribute.environment" = "assertion.environment"
  }

  attribute_condition = join(" && ", [
    "assertion.repository == '${var.repository}'",
    "assertion.environment == '${var.environment}'",
    var.environment == "dev" ? "assertion.ref == 'refs/heads/main'" : "assertion.ref.startsWith('refs/tags/v')",
  ])

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_project_iam_member" "pipeline" {
  for_each = local.pipeline_roles

  project = var.project
  role    = each.key
  member  = local.pipeline
}

# A revision runs as its own account, and whoever makes one has to be allowed to act as it.
resource "google_service_account_iam_member" "pipeline" {
  for_each = var.deployed_accounts

  service_account_id = "projects/${var.project}/serviceAccounts/${each.key}@${var.project}.iam.gserviceaccount.com"
  role               = "roles/iam.serviceAccountUser"
  member             = local.pipeline
}
