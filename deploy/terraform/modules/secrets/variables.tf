variable "project" {
  type = string
}

variable "project_number" {
  type = string
}

variable "labels" {
  type = map(string)
}

variable "regions" {
  description = "Where secrets are kept; two, so that one region can be down."
  type        = list(string)
}

variable "readers" {
  description = "Who may read each secret, by id and a name of theirs."
  type        = map(map(string))
}

variable "dead_letter_topic" {
  type = string
}

variable "first_rotation" {
  description = "When the operator is first reminded, RFC 3339; in the future when it is first applied."
  type        = string
}

variable "rotation_days" {
  type    = number
  default = 90
}
