output "instance" {
  value = google_sql_database_instance.this.name
}

output "name" {
  value = google_sql_database.this.name
}
