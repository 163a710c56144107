variable "project" {
  type = string
}

variable "region" {
  type = string
}

variable "egress" {
  description = "How Cloud Run gets onto the network: connector (two small machines, always on) or direct (no machines)."
  type        = string
  default     = "connector"

  validation {
    condition     = contains(["connector", "direct"], var.egress)
    error_message = "egress is connector or direct."
  }
}

variable "connector_max_instances" {
  type    = number
  default = 4
}

variable "ranges" {
  description = "Addresses: machines, the connector (a /28), Direct VPC egress (a /26 or larger), Cloud SQL's peering."
  type        = object({ machines = string, connector = string, direct = string, peering = string })
  default = {
    machines  = "10.10.0.0/24"
    connector = "10.10.1.0/28"
    direct    = "10.10.2.0/23"
    peering   = "10.20.0.0/16"
  }
}
