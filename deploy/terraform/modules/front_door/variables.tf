variable "project" {
  type = string
}

variable "region" {
  type = string
}

variable "domain" {
  description = "The API's name; its A record has to lead to the address that this module gives out."
  type        = string
}

variable "routes" {
  description = "Which service answers below which path."
  type        = map(string)

  validation {
    condition     = alltrue([for path in keys(var.routes) : startswith(path, "/v1/")])
    error_message = "Only paths below /v1/ are for the world."
  }
}

variable "run_services" {
  description = "Names of Cloud Run services by service."
  type        = map(string)
}

variable "default_service" {
  description = "Load balancers want one; nothing reaches it by default."
  type        = string
}

variable "requests_per_minute" {
  type    = number
  default = 600
}

variable "logins_per_minute" {
  type    = number
  default = 20
}

variable "log_share" {
  description = "Share of requests that the load balancer logs."
  type        = number
  default     = 0.1
}
