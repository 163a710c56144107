# Where a release is tried: prod in small.
environment    = "stage"
project        = "fitsense-stage"
project_number = "100000000002"
region         = "europe-west4"
domain         = "api.stage.fitsense.example"
cors_origins   = ["https://stage.fitsense.example"]

# How Cloud Run gets onto the network. `direct` has no machines to pay for.
egress = "connector"

# Of all services' instances times their pools there must be room: tests add them up.
database = {
  tier            = "db-custom-1-3840"
  availability    = "ZONAL"
  disk_gb         = 20
  max_connections = 100
  update_track    = "canary"
  roles_exist     = false
}

model_server = {
  zone         = "europe-west4-a"
  machine_type = "g2-standard-8"
  machines     = 1
  boot_image   = "projects/deeplearning-platform-release/global/images/family/common-cu128-ubuntu-2204-nvidia-570"
}

# One attempt; a training goes on from its checkpoint in the next.
training_s     = 3600
keep_runs_days = 30

secret_regions  = ["europe-west4", "europe-west1"]
first_rotation  = "2027-03-01T00:00:00Z"
backup_location = "eu"

alert_emails        = ["operator@fitsense.example"]
teacher_usd_per_day = 20
runbook             = "https://github.com/OWNER/fitsense/blob/main/deploy/runbook.md"

only_signed_images  = true
deletion_protection = true
