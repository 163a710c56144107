variable "project" {
  type = string
}

variable "project_number" {
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
  type = string
}

variable "account" {
  type = string
}

variable "variables" {
  type = map(string)
}

variable "gpu" {
  type    = string
  default = "nvidia-l4"
}

variable "timeout_s" {
  description = "Of one attempt; checkpoints make the next go on where it stopped."
  type        = number
  default     = 3600
}

variable "launchers" {
  description = "Who starts trainings, by a name of theirs."
  type        = map(string)
}

variable "watchers" {
  description = "Who asks how trainings stand."
  type        = map(string)
}

variable "job_ended_topic" {
  type = string
}
