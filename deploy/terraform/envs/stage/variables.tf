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
  description = "gcloud projects describe PROJECT --format='value(projectNumber)'."
  type        = string
}

variable "region" {
  type = string
}

variable "domain" {
  description = "The API's name."
  type        = string
}

variable "cors_origins" {
  description = "Origins whose pages may call the API from a browser."
  type        = list(string)
}

variable "images" {
  description = "First images by digest: function, trainer, migrate, vllm-vm, and each service."
  type        = map(string)

  validation {
    condition     = alltrue([for image in values(var.images) : strcontains(image, "@sha256:")])
    error_message = "An image by tag could be another one in the next environment: name each by digest."
  }
}

variable "egress" {
  description = "connector, or direct."
  type        = string
}

variable "database" {
  description = "roles_exist is false until the first migration has run."
  type = object({
    tier            = string
    availability    = string
    disk_gb         = number
    max_connections = number
    update_track    = string
    roles_exist     = bool
  })
}

variable "model_server" {
  type = object({ zone = string, machine_type = string, machines = number, boot_image = string })
}

variable "training_s" {
  description = "How long one attempt of a training may take on Cloud Run."
  type        = number
}

variable "keep_runs_days" {
  description = "How long a run's intermediate artifacts are kept; datasets, reports and models stay."
  type        = number
}

variable "secret_regions" {
  type = list(string)
}

variable "first_rotation" {
  type = string
}

variable "backup_location" {
  type = string
}

variable "alert_emails" {
  description = "Who is told of alerts."
  type        = list(string)

  validation {
    condition     = length(var.alert_emails) > 0
    error_message = "Alerts that nobody hears are none."
  }
}

variable "runbook" {
  description = "Where deploy/runbook.md can be read."
  type        = string
}

variable "only_signed_images" {
  description = "Whether Binary Authorization's policy of the project decides what may run."
  type        = bool
}

variable "deletion_protection" {
  type = bool
}

variable "teacher_usd_per_day" {
  description = "An alert says when the teacher cost more."
  type        = number
}
