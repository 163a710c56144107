output "network" {
  value = google_compute_network.this.id
}

output "paths" {
  description = "As APIs other than Compute's name them; known before they are made."
  value = {
    network             = "projects/${var.project}/global/networks/${google_compute_network.this.name}"
    machines_subnetwork = "projects/${var.project}/regions/${var.region}/subnetworks/${google_compute_subnetwork.machines.name}"
  }
}

output "machines_subnetwork" {
  value = google_compute_subnetwork.machines.id
}

output "egress" {
  description = "How Cloud Run is to reach the network: one of the two is null."
  value = {
    connector  = var.egress == "connector" ? google_vpc_access_connector.this[0].id : null
    network    = var.egress == "direct" ? google_compute_network.this.id : null
    subnetwork = var.egress == "direct" ? google_compute_subnetwork.egress.id : null
  }
}

output "peering" {
  description = "What Cloud SQL has to wait for."
  value       = google_service_networking_connection.this.id
}
