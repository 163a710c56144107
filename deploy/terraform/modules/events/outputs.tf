output "topics" {
  description = "Ids of topics by name."
  value       = { for name, one in google_pubsub_topic.event : name => one.id }
}

output "subscriptions" {
  description = "Names of subscriptions by id."
  value       = local.subscriptions
}

output "dead_letter_topic" {
  value = google_pubsub_topic.dead_letters.id
}
