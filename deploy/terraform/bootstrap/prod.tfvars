# terraform apply -var-file=prod.tfvars
environment     = "prod"
project         = "fitsense-prod"
project_number  = "100000000003"
repository      = "OWNER/fitsense"
billing_account = "000000-000000-000000"
budget_usd      = 2500
alert_emails    = ["operator@fitsense.example"]
