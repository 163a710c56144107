output "address" {
  description = "Where the domain's A record has to lead."
  value       = google_compute_global_address.this.address
}
