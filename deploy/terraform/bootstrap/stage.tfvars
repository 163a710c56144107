# terraform apply -var-file=stage.tfvars
environment     = "stage"
project         = "fitsense-stage"
project_number  = "100000000002"
repository      = "OWNER/fitsense"
billing_account = "000000-000000-000000"
budget_usd      = 900
alert_emails    = ["operator@fitsense.example"]
