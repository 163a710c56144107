variable "file" {
  description = "Where topology.yaml lies."
  type        = string
}
