# Where main runs: as little as possible is on, and nothing is promised.
environment    = "dev"
project        = "fitsense-dev"
project_number = "100000000001"
region         = "europe-west4"
domain         = "api.dev.fitsense.example"
cors_origins   = ["https://dev.fitsense.example", "http://localhost:3000"]

# How Cloud Run gets onto the network. `direct` has no machines to pay for.
egress = "connector"

# Of all services' instances times their pools there must be room: tests add them up.
database = {
  tier            = "db-custom-1-3840"
  availability    = "ZONAL"
  disk_gb         = 10
  max_connections = 100
  update_track    = "canary"
  roles_exist     = false
}

model_server = {
  zone         = "europe-west4-a"
  machine_type = "g2-standard-8"
  machines     = 0
  boot_image   = "projects/deeplearning-platform-release/global/images/family/common-cu128-ubuntu-2204-nvidia-570"
}

# One attempt; a training goes on from its checkpoint in the next.
training_s     = 3600
keep_runs_days = 14

secret_regions  = ["europe-west4", "europe-west1"]
first_rotation  = "2027-03-01T00:00:00Z"
backup_location = "eu"

alert_emails        = ["operator@fitsense.example"]
teacher_usd_per_day = 5
runbook             = "https://github.com/OWNER/fitsense/blob/main/deploy/runbook.md"

only_signed_images  = false
deletion_protection = false
