# One environment: everything, with what stands in terraform.tfvars. The three differ in that file and in nothing else.

module "fitsense" {
  source = "../../modules/stack"

  environment         = var.environment
  project             = var.project
  project_number      = var.project_number
  region              = var.region
  domain              = var.domain
  cors_origins        = var.cors_origins
  images              = var.images
  egress              = var.egress
  database            = var.database
  model_server        = var.model_server
  training_s          = var.training_s
  keep_runs_days      = var.keep_runs_days
  secret_regions      = var.secret_regions
  first_rotation      = var.first_rotation
  backup_location     = var.backup_location
  alert_emails        = var.alert_emails
  teacher_usd_per_day = var.teacher_usd_per_day
  runbook             = var.runbook
  only_signed_images  = var.only_signed_images
  deletion_protection = var.deletion_protection
}

output "address" {
  value = module.fitsense.address
}

output "urls" {
  value = module.fitsense.urls
}

output "buckets" {
  value = module.fitsense.buckets
}

output "subscriptions" {
  value = module.fitsense.subscriptions
}
