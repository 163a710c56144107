variable "project" {
  type = string
}

variable "environment" {
  type = string
}

variable "file" {
  description = "Where observability.yaml lies."
  type        = string
}

variable "prices" {
  description = "What the cost dashboard multiplies with: service_usd_per_s, trainer_usd_per_s, model_server_usd_per_h."
  type        = map(number)
}

variable "max_connections" {
  type = number
}

variable "teacher_usd_per_day" {
  description = "More than that is told."
  type        = number
}

variable "runbook" {
  type = string
}

variable "emails" {
  type = list(string)
}

variable "domain" {
  type = string
}
