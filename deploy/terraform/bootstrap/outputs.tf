output "state_bucket" {
  value = google_storage_bucket.state.name
}

output "workload_identity_provider" {
  description = "What the workflow logs in by."
  value       = google_iam_workload_identity_pool_provider.this.name
}

output "registry" {
  value = "${var.region}-docker.pkg.dev/${var.project}/fitsense"
}

output "attestor_key" {
  value = "${google_kms_crypto_key.attestor.id}/cryptoKeyVersions/1"
}
