# The event graph of deploy/topology.yaml, in the shapes that the other modules loop over. It makes nothing.

locals {
  graph   = yamldecode(file(var.file))
  letters = local.graph.dead_letters

  functions = {
    for name, one in local.graph.functions : name => {
      trigger       = one.trigger
      publishes     = one.publishes
      timeout_s     = one.timeout_s
      memory_mb     = one.memory_mb
      concurrency   = try(one.concurrency, 1)
      max_instances = try(one.max_instances, 5)
    }
  }

  hearing_dead_letters = {
    (local.letters.function) = {
      trigger       = local.letters.topic
      publishes     = []
      timeout_s     = local.letters.timeout_s
      memory_mb     = local.letters.memory_mb
      concurrency   = 1
      max_instances = 5
    }
  }

  services = try(local.graph.services, {})
  pulls    = try(local.graph.pulls, {})

  function_edges = {
    for name, one in local.functions : "${one.trigger}--${name}" => {
      topic      = one.trigger
      subscriber = name
      path       = "/"
      timeout_s  = one.timeout_s
    }
  }

  service_edges = merge([
    for name, one in local.services : {
      for topic, path in one.subscribes : "${topic}--${name}" => {
        topic      = topic
        subscriber = name
        path       = path
        timeout_s  = try(one.timeout_s, 60)
      }
    }
  ]...)

  pull_edges = {
    for name, one in local.pulls : "${one.topic}--${name}" => {
      topic      = one.topic
      subscriber = name
      timeout_s  = try(one.timeout_s, 60)
    }
  }

  dead_letter_edge = {
    id         = "${local.letters.topic}--${local.letters.function}"
    topic      = local.letters.topic
    subscriber = local.letters.function
    path       = "/"
    timeout_s  = local.letters.timeout_s
  }
}
