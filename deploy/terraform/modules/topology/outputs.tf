output "topics" {
  description = "Topics of the pipeline; the dead-letter topic is not among them."
  value       = toset(keys(local.graph.topics))
}

output "dead_letter_topic" {
  value = local.letters.topic
}

output "dead_letter_edge" {
  description = "The subscription of the dead-letter topic, which has no dead-letter topic itself."
  value       = local.dead_letter_edge
}

output "push_edges" {
  description = "Push subscriptions by id: <topic>--<subscriber>."
  value       = merge(local.function_edges, local.service_edges)
}

output "pull_edges" {
  description = "Subscriptions that their subscribers ask, by id."
  value       = local.pull_edges
}

output "functions" {
  description = "Every function that runs, with its limits; the one that hears dead letters too."
  value       = merge(local.functions, local.hearing_dead_letters)
}

output "services" {
  description = "Services that topics are pushed to."
  value       = local.services
}

output "retry" {
  value = local.graph.retry
}

output "notifications" {
  description = "What each bucket tells of new objects, by bucket."
  value       = { for name, one in local.graph.buckets : name => one.notification if can(one.notification.topic) }
}

output "buckets" {
  value = { for name, one in local.graph.buckets : name => { versioning = try(one.versioning, false) } }
}
