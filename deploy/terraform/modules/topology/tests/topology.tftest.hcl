variables {
  file = "../../../topology.yaml"
}

run "edges_are_named_after_topic_and_subscriber" {
  command = plan

  assert {
    condition     = alltrue([for id, one in output.push_edges : id == "${one.topic}--${one.subscriber}"])
    error_message = "an edge's id is not <topic>--<subscriber>"
  }
  assert {
    condition     = length(output.push_edges) >= 12 && contains(keys(output.push_edges), "config-dropped--intake")
    error_message = "the pipeline's own functions have lost their edges"
  }
}

run "deadlines_are_what_pubsub_allows" {
  command = plan

  assert {
    condition     = alltrue([for one in output.push_edges : one.timeout_s >= 10 && one.timeout_s <= 600])
    error_message = "an ack deadline is not between 10 and 600 seconds"
  }
}

run "dead_letters_stand_apart" {
  command = plan

  assert {
    condition     = !contains(output.topics, output.dead_letter_topic)
    error_message = "the dead-letter topic is a topic of the pipeline"
  }
  assert {
    condition     = contains(keys(output.functions), output.dead_letter_edge.subscriber)
    error_message = "nobody hears dead letters"
  }
}
