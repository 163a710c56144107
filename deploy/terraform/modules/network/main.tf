# The private network: Cloud Run reaches Cloud SQL and the model server on it; nothing comes in from outside.

resource "google_compute_network" "this" {
  project                 = var.project
  name                    = "fitsense"
  auto_create_subnetworks = false
  routing_mode            = "REGIONAL"
}

# The model server's subnet. Private Google access: machines without an external address reach Google's APIs.
resource "google_compute_subnetwork" "machines" {
  project                  = var.project
  name                     = "machines"
  network                  = google_compute_network.this.id
  region                   = var.region
  ip_cidr_range            = var.ranges.machines
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "EXCLUDE_ALL_METADATA"
  }
}

# Where Cloud Run's requests come out: the connector's machines, or Cloud Run's own addresses with Direct VPC egress,
# which takes two to four for each instance. Services send everything through it, since a call to another service
# counts as internal only from the network.
resource "google_compute_subnetwork" "egress" {
  project                  = var.project
  name                     = "egress"
  network                  = google_compute_network.this.id
  region                   = var.region
  ip_cidr_range            = var.egress == "connector" ? var.ranges.connector : var.ranges.direct
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "EXCLUDE_ALL_METADATA"
  }
}

resource "google_vpc_access_connector" "this" {
  count = var.egress == "connector" ? 1 : 0

  project       = var.project
  name          = "fitsense"
  region        = var.region
  machine_type  = "e2-micro"
  min_instances = 2
  max_instances = var.connector_max_instances

  subnet {
    name = google_compute_subnetwork.egress.name
  }
}

resource "google_compute_router" "this" {
  project = var.project
  name    = "fitsense"
  network = google_compute_network.this.id
  region  = var.region
}

resource "google_compute_router_nat" "this" {
  project                            = var.project
  name                               = "fitsense"
  router                             = google_compute_router.this.name
  region                             = var.region
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

# Cloud SQL's addresses, peered with ours.
resource "google_compute_global_address" "peering" {
  project       = var.project
  name          = "google-managed-services"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  address       = split("/", var.ranges.peering)[0]
  prefix_length = tonumber(split("/", var.ranges.peering)[1])
  network       = google_compute_network.this.id
}

resource "google_service_networking_connection" "this" {
  network                 = google_compute_network.this.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.peering.name]
}

# From Cloud Run to the model server, and nothing else: GCP refuses what no rule allows; the second says so in the log.
resource "google_compute_firewall" "router_to_model" {
  project       = var.project
  name          = "router-to-model-server"
  network       = google_compute_network.this.id
  direction     = "INGRESS"
  source_ranges = [google_compute_subnetwork.egress.ip_cidr_range]
  target_tags   = ["model-server"]

  allow {
    protocol = "tcp"
    ports    = ["8000"]
  }
}

# Health checks come from Google's own ranges.
resource "google_compute_firewall" "health_checks" {
  project       = var.project
  name          = "health-checks-to-model-server"
  network       = google_compute_network.this.id
  direction     = "INGRESS"
  source_ranges = ["130.211.0.0/22", "35.191.0.0/16"]
  target_tags   = ["model-server"]

  allow {
    protocol = "tcp"
    ports    = ["8000"]
  }
}

# Shell through Identity-Aware Proxy, with OS Login: nothing listens to the world.
resource "google_compute_firewall" "shell" {
  project       = var.project
  name          = "iap-to-shell"
  network       = google_compute_network.this.id
  direction     = "INGRESS"
  source_ranges = ["35.235.240.0/20"]
  target_tags   = ["model-server"]

  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}

resource "google_compute_firewall" "refuse" {
  project       = var.project
  name          = "refuse-the-rest"
  network       = google_compute_network.this.id
  direction     = "INGRESS"
  priority      = 65000
  source_ranges = ["0.0.0.0/0"]

  deny {
    protocol = "all"
  }

  log_config {
    metadata = "EXCLUDE_ALL_METADATA"
  }
}
