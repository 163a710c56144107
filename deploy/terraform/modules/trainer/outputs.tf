output "job" {
  value = module.job.name
}
