variable "environment" {
  type = string

  validation {
    condition     = contains(["dev", "stage", "prod"], var.environment)
    error_message = "The environment is dev, stage or prod."
  }
}

variable "project" {
  type = string
}

variable "project_number" {
  type = string
}

variable "region" {
  type    = string
  default = "europe-west4"
}

variable "repository" {
  description = "OWNER/NAME on GitHub, whose workflows may deploy."
  type        = string

  validation {
    condition     = can(regex("^[\\w.-]+/[\\w.-]+$", var.repository))
    error_message = "The repository is OWNER/NAME."
  }
}

variable "billing_account" {
  type = string
}

variable "budget_usd" {
  description = "A month's."
  type        = number
}

variable "alert_emails" {
  type = list(string)
}

variable "image_readers" {
  description = "Dev only: who pulls images for the other projects, by a name: Cloud Run's agents and machines' accounts."
  type        = map(string)
  default     = {}
}

variable "deployed_accounts" {
  description = "Accounts that the pipeline deploys as; empty until the environment has been applied for the first time."
  type        = set(string)
  default     = []
}

variable "attestor_public_key" {
  description = "PEM of the attestor's key; empty at the first apply, which makes the key."
  type        = string
  default     = ""
}
