output "dashboards" {
  value = { for name, one in google_monitoring_dashboard.this : name => one.id }
}
