variable "project" {
  type = string
}

variable "project_number" {
  type = string
}

variable "region" {
  type = string
}

variable "schedules" {
  type = map(object({ topic = string, cron = string }))
}

variable "topics" {
  description = "Ids of topics by name."
  type        = map(string)
}
