variable "project" {
  type = string
}

variable "location" {
  description = "A region, or a multi-region such as nam5; it cannot be changed later."
  type        = string
}

variable "deletion_protection" {
  type = bool
}
