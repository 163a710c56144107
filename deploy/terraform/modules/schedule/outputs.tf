output "jobs" {
  value = [for one in google_cloud_scheduler_job.this : one.name]
}
