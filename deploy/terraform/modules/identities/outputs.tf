output "emails" {
  value = { for name, one in google_service_account.this : name => one.email }
}

output "members" {
  description = "As IAM names them."
  value       = { for name, one in google_service_account.this : name => one.member }
}
