output "ids" {
  value = { for id, one in google_secret_manager_secret.this : id => one.id }
}
