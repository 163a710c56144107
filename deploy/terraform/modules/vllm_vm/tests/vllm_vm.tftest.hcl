mock_provider "google" {}

variables {
  project        = "p"
  region         = "europe-west4"
  zone           = "europe-west4-a"
  labels         = {}
  machine_type   = "g2-standard-8"
  machines       = 1
  boot_image     = "ubuntu"
  subnetwork     = "machines"
  account        = "vllm-vm@p.iam.gserviceaccount.com"
  startup_script = "#!/bin/bash\n"
  image          = "image@sha256:0"
  variables      = { FITSENSE_STACK = "gcp" }
  secrets        = { VLLM_API_KEY = "vllm-api-key" }
}

run "the_machine_is_private_and_shielded" {
  command = plan

  assert {
    condition     = alltrue([for one in google_compute_instance_template.this.network_interface : length(one.access_config) == 0])
    error_message = "the machine has an external address"
  }
  assert {
    condition     = google_compute_instance_template.this.shielded_instance_config[0].enable_secure_boot
    error_message = "the machine boots what it is given"
  }
  assert {
    condition     = google_compute_instance_template.this.metadata["enable-oslogin"] == "TRUE"
    error_message = "people could log in by keys in metadata"
  }
}

run "a_sick_machine_is_made_again" {
  command = plan

  assert {
    condition     = google_compute_instance_group_manager.this.auto_healing_policies[0].initial_delay_sec >= 600
    error_message = "it would be ended while it loads its weights"
  }
  assert {
    condition     = google_compute_instance_template.this.scheduling[0].automatic_restart
    error_message = "it stays off after maintenance"
  }
}

run "no_secret_is_in_metadata" {
  command = plan

  assert {
    condition     = google_compute_instance_template.this.metadata["fitsense-secrets"] == "VLLM_API_KEY=projects/p/secrets/vllm-api-key"
    error_message = "metadata are to name secrets, not hold them"
  }
}
