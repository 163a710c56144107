variable "project" {
  type = string
}

variable "region" {
  type = string
}

variable "zone" {
  description = "Where there are GPUs of the machine's kind."
  type        = string
}

variable "labels" {
  type = map(string)
}

variable "machine_type" {
  description = "g2-standard-8 has one L4 with it."
  type        = string
}

variable "machines" {
  description = "How many; the router spreads requests over those that announce themselves. 0 costs nothing."
  type        = number
}

variable "boot_image" {
  type = string
}

variable "disk_gb" {
  type    = number
  default = 200
}

variable "subnetwork" {
  type = string
}

variable "account" {
  type = string
}

variable "startup_script" {
  type = string
}

variable "image" {
  description = "The image with vLLM and the agent, by digest."
  type        = string
}

variable "variables" {
  type = map(string)
}

variable "secrets" {
  description = "Ids of secrets by variable; the machine fetches them as its account."
  type        = map(string)
}
