# terraform apply -var-file=dev.tfvars
environment     = "dev"
project         = "fitsense-dev"
project_number  = "100000000001"
repository      = "OWNER/fitsense"
billing_account = "000000-000000-000000"
budget_usd      = 150
alert_emails    = ["operator@fitsense.example"]
