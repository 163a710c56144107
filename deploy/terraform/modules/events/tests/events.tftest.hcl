mock_provider "google" {}

variables {
  project           = "p"
  project_number    = "1"
  region            = "europe-west4"
  labels            = {}
  topics            = ["run-requested", "model-promoted"]
  dead_letter_topic = "dead-letters"
  dead_letter_edge  = { id = "dead-letters--dead-letters", topic = "dead-letters", subscriber = "dead-letters", path = "/", timeout_s = 60 }
  push_edges        = { "run-requested--profiles" = { topic = "run-requested", subscriber = "profiles", path = "/", timeout_s = 300 } }
  pull_edges        = { "model-promoted--vllm-vm" = { topic = "model-promoted", subscriber = "vllm-vm", timeout_s = 60 } }
  retry             = { max_delivery_attempts = 5, cloud = { min_backoff_s = 10, max_backoff_s = 600 } }
  urls              = { profiles = "https://profiles.example", dead-letters = "https://dead-letters.example" }
  push_account      = "push@p.iam.gserviceaccount.com"
  publishers        = { run-requested = { intake = "serviceAccount:intake@p.iam.gserviceaccount.com" } }
  pullers           = { vllm-vm = "serviceAccount:vllm-vm@p.iam.gserviceaccount.com" }
}

run "a_push_has_a_token_a_deadline_a_backoff_and_a_dead_letter" {
  command = apply

  assert {
    condition = alltrue([
      for one in google_pubsub_subscription.push :
      one.push_config[0].oidc_token[0].audience == "profiles" &&
      one.ack_deadline_seconds == 300 &&
      one.retry_policy[0].minimum_backoff == "10s" &&
      one.dead_letter_policy[0].dead_letter_topic == google_pubsub_topic.dead_letters.id
    ])
    error_message = "a push lacks something"
  }
}

run "pubsubs_agent_may_move_dead_letters" {
  command = apply

  assert {
    condition     = google_pubsub_topic_iam_member.dead_letters.member == "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
    error_message = "the agent may not publish dead letters"
  }
  assert {
    condition     = length(google_pubsub_subscription_iam_member.dead_letters) == 2
    error_message = "the agent may not take dead letters from every subscription"
  }
}

run "more_attempts_than_pubsub_allows_are_refused" {
  command = plan

  variables {
    retry = { max_delivery_attempts = 101, cloud = { min_backoff_s = 10, max_backoff_s = 600 } }
  }

  expect_failures = [var.retry]
}
