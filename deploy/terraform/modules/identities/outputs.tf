# Made of what is known, so that a plan can be read, and given out once the accounts are there.

output "emails" {
  value      = { for name in keys(var.project_roles) : name => "${name}@${var.project}.iam.gserviceaccount.com" }
  depends_on = [google_service_account.this]
}

output "members" {
  description = "As IAM names them."
  value       = { for name in keys(var.project_roles) : name => "serviceAccount:${name}@${var.project}.iam.gserviceaccount.com" }
  depends_on  = [google_service_account.this]
}
