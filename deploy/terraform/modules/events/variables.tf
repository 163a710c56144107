variable "project" {
  type = string
}

variable "project_number" {
  type = string
}

variable "region" {
  description = "Where messages are kept."
  type        = string
}

variable "labels" {
  type = map(string)
}

variable "retention" {
  description = "How long messages are kept; a dead letter that nobody could take has to be noticed within it."
  type        = string
  default     = "604800s"
}

variable "topics" {
  type = set(string)
}

variable "dead_letter_topic" {
  type = string
}

variable "dead_letter_edge" {
  type = object({ id = string, topic = string, subscriber = string, path = string, timeout_s = number })
}

variable "push_edges" {
  type = map(object({ topic = string, subscriber = string, path = string, timeout_s = number }))
}

variable "pull_edges" {
  type = map(object({ topic = string, subscriber = string, timeout_s = number }))
}

variable "retry" {
  type = object({
    max_delivery_attempts = number
    cloud                 = object({ min_backoff_s = number, max_backoff_s = number })
  })

  validation {
    condition     = var.retry.max_delivery_attempts >= 5 && var.retry.max_delivery_attempts <= 100
    error_message = "Pub/Sub allows 5 to 100 delivery attempts."
  }
}

variable "urls" {
  description = "Where each subscriber runs, by name."
  type        = map(string)
}

variable "push_account" {
  description = "Who signs pushes."
  type        = string
}

variable "publishers" {
  description = "Who may publish, by topic and a name of theirs."
  type        = map(map(string))
}

variable "pullers" {
  description = "Who asks a subscription, by subscriber."
  type        = map(string)
}
