output "names" {
  description = "Names of buckets by key."
  value       = { for key, one in google_storage_bucket.this : key => one.name }
}
