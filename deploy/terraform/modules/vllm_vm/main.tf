# The model server: one private GPU machine in a group that makes it again when it is sick. Its start-up script and
# flags are vllm-vm/'s; what it is told is in its metadata, and secrets only by name.

resource "google_compute_instance_template" "this" {
  project      = var.project
  name_prefix  = "vllm-vm-"
  region       = var.region
  machine_type = var.machine_type
  tags         = ["model-server"]
  labels       = var.labels

  disk {
    source_image = var.boot_image
    boot         = true
    auto_delete  = true
    disk_type    = "pd-ssd"
    disk_size_gb = var.disk_gb
  }

  # No access_config block: no external address. Packages and images come through Cloud NAT.
  network_interface {
    subnetwork = var.subnetwork
  }

  service_account {
    email  = var.account
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
  }

  # A machine with a GPU cannot move; it is ended for maintenance, and started again.
  scheduling {
    on_host_maintenance = "TERMINATE"
    automatic_restart   = true
    preemptible         = false
    provisioning_model  = "STANDARD"
  }

  shielded_instance_config {
    enable_secure_boot          = true
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }

  metadata = {
    enable-oslogin         = "TRUE"
    block-project-ssh-keys = "TRUE"
    serial-port-enable     = "FALSE"
    startup-script         = var.startup_script
    fitsense-image         = var.image
    fitsense-variables     = join("\n", [for name, value in var.variables : "${name}=${value}"])
    fitsense-secrets       = join("\n", [for name, id in var.secrets : "${name}=projects/${var.project}/secrets/${id}"])
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_health_check" "this" {
  project             = var.project
  name                = "vllm-vm"
  check_interval_sec  = 10
  timeout_sec         = 5
  healthy_threshold   = 1
  unhealthy_threshold = 6

  http_health_check {
    port         = 8000
    request_path = "/health"
  }

  log_config {
    enable = true
  }
}

resource "google_compute_instance_group_manager" "this" {
  project            = var.project
  name               = "vllm-vm"
  base_instance_name = "vllm-vm"
  zone               = var.zone
  target_size        = var.machines

  version {
    instance_template = google_compute_instance_template.this.id
  }

  named_port {
    name = "http"
    port = 8000
  }

  # Weights take minutes to load, the driver and the image more.
  auto_healing_policies {
    health_check      = google_compute_health_check.this.id
    initial_delay_sec = 1200
  }

  # In place, one after the other: quota is for these machines and no more.
  update_policy {
    type                  = "OPPORTUNISTIC"
    minimal_action        = "REPLACE"
    max_surge_fixed       = 0
    max_unavailable_fixed = 1
  }
}
