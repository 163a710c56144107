variable "project" {
  type = string
}

variable "region" {
  type = string
}

variable "labels" {
  type = map(string)
}

variable "network" {
  type = string
}

variable "peering" {
  description = "The peering that the private address rests on."
  type        = string
}

variable "tier" {
  type = string
}

variable "availability" {
  description = "ZONAL, or REGIONAL with a standby in another zone."
  type        = string

  validation {
    condition     = contains(["ZONAL", "REGIONAL"], var.availability)
    error_message = "availability is ZONAL or REGIONAL."
  }
}

variable "disk_gb" {
  type = number
}

variable "max_connections" {
  description = "More than all services' instances times their pools; the rest is for migrations and people."
  type        = number
}

variable "flags" {
  description = "Further database flags."
  type        = map(string)
  default     = {}
}

variable "backup_location" {
  description = "A multi-region, so that a region can be lost."
  type        = string
}

variable "retained_backups" {
  type    = number
  default = 14
}

variable "update_track" {
  description = "When maintenance comes: canary first, stable a week later."
  type        = string
}

variable "deletion_protection" {
  type = bool
}

variable "users" {
  description = "E-mails of the services' accounts, by service."
  type        = map(string)
}

variable "migrator" {
  description = "E-mail of the account that migrates."
  type        = string
}

variable "roles_exist" {
  description = "Whether the first migration has made the services' roles."
  type        = bool
}
