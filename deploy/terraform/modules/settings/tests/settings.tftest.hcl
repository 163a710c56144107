variables {
  file        = "../../../deployables.yaml"
  environment = "stage"
  groups      = { intake = ["core"], teacher = ["core", "teacher"] }
  known       = { project = "fitsense-stage", artifacts_bucket = "a", configs_bucket = "c" }
  own         = { intake = { timeout_s = "60" }, teacher = { timeout_s = "540", max_instances = "4" } }
}

run "values_come_from_all_three_places" {
  command = plan

  assert {
    condition     = output.plain.intake.FITSENSE_STACK == "gcp"
    error_message = "a value that is the same everywhere is lost"
  }
  assert {
    condition     = output.plain.intake.FITSENSE_LOG_LEVEL == "INFO"
    error_message = "a value of one environment is lost"
  }
  assert {
    condition     = output.plain.teacher.FITSENSE_ACK_DEADLINE_S == "540" && output.plain.intake.FITSENSE_ACK_DEADLINE_S == "60"
    error_message = "a value of one deployable is lost"
  }
}

run "secrets_are_only_for_their_readers" {
  command = plan

  assert {
    condition     = output.secret.teacher.TEACHER_API_KEY == "teacher-api-key" && !contains(keys(output.secret.intake), "TEACHER_API_KEY")
    error_message = "a secret is not where it belongs"
  }
}
