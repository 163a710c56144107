variable "file" {
  description = "Where deployables.yaml lies."
  type        = string
}

variable "environment" {
  description = "dev, stage or prod."
  type        = string
}

variable "groups" {
  description = "The groups of settings that each deployable has, by deployable."
  type        = map(list(string))
}

variable "known" {
  description = "What `from` may name, for all."
  type        = map(string)
}

variable "own" {
  description = "What `from` may name, for one deployable alone."
  type        = map(map(string))
}
