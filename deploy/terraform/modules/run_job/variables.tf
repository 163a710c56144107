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
  type = map(string)
}

variable "secrets" {
  type    = map(string)
  default = {}
}

variable "cpu" {
  type = number
}

variable "memory_mb" {
  type = number
}

variable "gpu" {
  description = "nvidia-l4, or nothing."
  type        = string
  default     = ""
}

variable "timeout_s" {
  description = "Of one attempt."
  type        = number
}

variable "max_retries" {
  type = number
}

variable "egress" {
  type    = object({ connector = optional(string), network = optional(string), subnetwork = optional(string) })
  default = null
}

variable "runners" {
  description = "Who may run it, by a name of theirs."
  type        = map(object({ role = string, member = string }))
}
