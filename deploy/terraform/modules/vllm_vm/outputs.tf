output "group" {
  value = google_compute_instance_group_manager.this.name
}
