output "address" {
  description = "Where the domain's A record has to lead."
  value       = module.front_door.address
}

output "urls" {
  description = "Where Cloud Run serves each service."
  value       = { for name in keys(local.services) : name => local.urls[name] }
}

output "buckets" {
  value = module.storage.names
}

output "subscriptions" {
  description = "Every subscription of the event graph."
  value       = sort(keys(module.events.subscriptions))
}
