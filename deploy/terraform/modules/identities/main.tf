# One service account for each deployable, with the roles that hold for the whole project because Google gives them
# nowhere else. Everything narrower (topics, buckets, secrets, services) is granted beside the thing itself.

locals {
  grants = merge([
    for name, roles in var.project_roles : { for role in roles : "${name}/${role}" => { name = name, role = role } }
  ]...)
}

resource "google_service_account" "this" {
  for_each = var.project_roles

  project      = var.project
  account_id   = each.key
  display_name = "FitSense ${each.key}"
}

resource "google_project_iam_member" "this" {
  for_each = local.grants

  project = var.project
  role    = each.value.role
  member  = "serviceAccount:${google_service_account.this[each.value.name].account_id}@${var.project}.iam.gserviceaccount.com"

  lifecycle {
    precondition {
      condition     = !contains(["roles/owner", "roles/editor", "roles/viewer"], each.value.role)
      error_message = "${each.value.name} would get a primitive role, ${each.value.role}"
    }
  }
}

resource "google_service_account_iam_member" "acts_as" {
  for_each = var.acts_as

  service_account_id = google_service_account.this[each.value].name
  role               = "roles/iam.serviceAccountUser"
  member             = "serviceAccount:${google_service_account.this[each.key].account_id}@${var.project}.iam.gserviceaccount.com"
}
