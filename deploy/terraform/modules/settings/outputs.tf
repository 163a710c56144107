output "plain" {
  description = "Variables by deployable."
  value       = local.plain

  precondition {
    condition     = alltrue(flatten([for one in local.plain : [for value in one : value != null]]))
    error_message = "a setting has no value in ${var.environment}"
  }
}

output "secret" {
  description = "Ids of secrets by deployable and variable."
  value       = local.secret
}
