variable "project" {
  type = string
}

variable "project_roles" {
  description = "Roles of the whole project, by deployable; each deployable has its account, be the set empty."
  type        = map(set(string))
}

variable "acts_as" {
  description = "Who starts something that runs as somebody else."
  type        = map(string)
}
