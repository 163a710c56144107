variable "project" {
  type = string
}

variable "region" {
  type = string
}

variable "name" {
  type = string
}

variable "labels" {
  type = map(string)
}

variable "image" {
  description = "The first image; afterwards the pipeline's."
  type        = string
}

variable "command" {
  type    = list(string)
  default = null
}

variable "args" {
  type    = list(string)
  default = null
}

variable "account" {
  description = "E-mail of the account it runs as."
  type        = string
}

variable "variables" {
  description = "Its environment; nothing secret."
  type        = map(string)
}

variable "secrets" {
  description = "Secrets by variable."
  type        = map(string)
  default     = {}
}

variable "cpu" {
  type    = number
  default = 1
}

variable "memory_mb" {
  type = number
}

variable "cpu_idle" {
  description = "Whether the processor is taken away between requests; it must not be from one that works then."
  type        = bool
  default     = true
}

variable "concurrency" {
  type = number

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000
    error_message = "Cloud Run allows 1 to 1000 requests at once."
  }
}

variable "min_instances" {
  type    = number
  default = 0
}

variable "max_instances" {
  type = number
}

variable "timeout_s" {
  type = number

  validation {
    condition     = var.timeout_s <= 3600
    error_message = "Cloud Run ends requests after 3600 seconds."
  }
}

variable "startup_s" {
  description = "How long it may take to begin; a Direct VPC connection can take a minute. At most 240."
  type        = number
  default     = 120

  validation {
    condition     = var.startup_s <= 240
    error_message = "Cloud Run waits 240 seconds at most."
  }
}

variable "ready_path" {
  description = "What answers once it can work; a TCP probe where it is empty."
  type        = string
  default     = ""
}

variable "live_path" {
  type    = string
  default = ""
}

variable "metrics" {
  description = "Whether it has /metrics that are to be collected."
  type        = bool
  default     = false
}

variable "metrics_image" {
  type    = string
  default = "us-docker.pkg.dev/cloud-ops-agents-artifacts/cloud-run-gmp-sidecar/cloud-run-gmp-sidecar:1.2.0"
}

variable "public" {
  description = "Whether the load balancer leads to it; then it checks callers itself, since users have no Google identity."
  type        = bool
  default     = false
}

variable "egress" {
  description = "How it reaches the network; null for one that only talks to Google and the internet."
  type        = object({ connector = optional(string), network = optional(string), subnetwork = optional(string) })
  default     = null
}

variable "invokers" {
  description = "Members that may call it, by a name of theirs."
  type        = map(string)
}

variable "only_signed_images" {
  description = "Whether Binary Authorization refuses images that the pipeline has not signed."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  type    = bool
  default = false
}
