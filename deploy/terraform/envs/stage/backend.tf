# The bucket is bootstrap's: terraform init -backend-config=bucket=PROJECT-terraform.
terraform {
  backend "gcs" {
    prefix = "fitsense"
  }
}
