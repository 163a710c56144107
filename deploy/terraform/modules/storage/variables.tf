variable "project" {
  type = string
}

variable "project_number" {
  type = string
}

variable "region" {
  type = string
}

variable "labels" {
  type = map(string)
}

variable "buckets" {
  description = "Buckets by key; expire_days says after how many days objects below a prefix go."
  type = map(object({
    name        = string
    versioning  = bool
    expire_days = map(number)
  }))
}

variable "notifications" {
  description = "Which topic is told of new objects, by bucket."
  type        = map(object({ topic = string, prefix = string }))
}

variable "topics" {
  description = "Ids of topics by name."
  type        = map(string)
}

variable "grants" {
  description = "Members by bucket, role and a name of theirs."
  type        = map(map(map(string)))
}
