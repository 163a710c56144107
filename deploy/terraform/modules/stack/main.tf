# FitSense on one project: every module, wired. Environments differ in what they pass here and in nothing else.

locals {
  root   = "${path.module}/../../.."
  file   = yamldecode(file("${local.root}/deployables.yaml"))
  labels = { app = "fitsense", environment = var.environment }

  graph     = module.topology
  services  = local.file.services
  jobs      = local.file.jobs
  machines  = local.file.machines
  functions = { for name, one in local.graph.functions : name => merge({ settings = [], roles = [] }, one, try(local.file.functions[name], {})) }

  # Cloud Run's URLs are made of what is known, so that services can be told of each other without going in circles.
  urls = {
    for name in concat(keys(local.functions), keys(local.services)) :
    name => "https://${name}-${var.project_number}.${var.region}.run.app"
  }

  accounts = concat(keys(local.functions), keys(local.services), keys(local.jobs), keys(local.machines), ["push"])

  with_database = { for name, one in local.services : name => one if contains(one.settings, "database") }
  # The newest table of prices; what the cost dashboard multiplies with.
  table = yamldecode(file("${local.root}/prices/${reverse(sort(fileset("${local.root}/prices", "*.yaml")))[0]}")).usd
  prices = {
    service_usd_per_s      = local.table.run_vcpu_s + 0.5 * local.table.run_gib_s
    trainer_usd_per_s      = local.table.run_l4_s + 8 * local.table.run_vcpu_instance_s + 32 * local.table.run_gib_instance_s
    model_server_usd_per_h = local.table.g2_standard_8_h
  }

  schedules = { for name, one in local.file.schedules : name => one if contains(local.graph.topics, one.topic) }

  everyone_publishes = merge(
    { for name, one in local.functions : name => one.publishes },
    { for name, one in local.services : name => one.publishes },
    { for name, one in local.jobs : name => one.publishes },
    { for name, one in local.machines : name => one.publishes },
  )
}

module "topology" {
  source = "../topology"
  file   = "${local.root}/topology.yaml"
}

# What holds for the whole project, because Google grants it nowhere else: documents, logs and metrics, logging in to the
# database, and Batch.
module "identities" {
  source  = "../identities"
  project = var.project
  acts_as = { for name, one in local.functions : name => one.acts_as if can(one.acts_as) }
  project_roles = merge(
    { for name, one in local.functions : name => concat(["roles/datastore.user"], one.roles) },
    {
      for name, one in local.services : name => concat(
        ["roles/datastore.user", "roles/monitoring.metricWriter", "roles/cloudtrace.agent"],
        contains(keys(local.with_database), name) ? ["roles/cloudsql.client", "roles/cloudsql.instanceUser"] : [],
      )
    },
    {
      trainer = ["roles/datastore.user", "roles/logging.logWriter", "roles/batch.agentReporter"]
      migrate = ["roles/cloudsql.client", "roles/cloudsql.instanceUser"]
      vllm-vm = ["roles/datastore.user", "roles/logging.logWriter", "roles/monitoring.metricWriter"]
      push    = []
    },
  )
}

module "settings" {
  source      = "../settings"
  file        = "${local.root}/deployables.yaml"
  environment = var.environment
  groups = merge(
    { for name, one in local.functions : name => concat(["core"], one.settings) },
    { for name, one in local.services : name => concat(["core"], one.settings) },
    { for name, one in local.jobs : name => one.settings },
    { for name, one in local.machines : name => one.settings },
  )
  known = {
    project            = var.project
    region             = var.region
    environment        = var.environment
    artifacts_bucket   = "${var.project}-artifacts"
    configs_bucket     = "${var.project}-configs"
    trainer_job        = "trainer"
    trainer_image      = var.images.trainer
    trainer_account    = "trainer@${var.project}.iam.gserviceaccount.com"
    batch_network      = module.network.paths.network
    batch_subnetwork   = module.network.paths.machines_subnetwork
    users_url          = "${local.urls.profile}/v1/auth/jwks.json"
    profile_url        = local.urls.profile
    plan_url           = local.urls.plan
    logging_url        = local.urls.logging
    router_url         = local.urls.inference-router
    cors_origins       = join(",", var.cors_origins)
    database_instance  = "${var.project}:${var.region}:fitsense"
    agent_subscription = one(keys(local.graph.pull_edges))
  }
  own = merge(
    { for name, one in local.functions : name => { timeout_s = tostring(one.timeout_s), max_instances = tostring(one.max_instances) } },
    {
      for name, one in local.services : name => {
        name          = name
        timeout_s     = tostring(one.timeout_s)
        database_pool = tostring(one.database_pool)
        database_user = "${name}@${var.project}.iam"
        callers = join(",", [
          for caller in concat([for other, its in local.services : other if contains(its.calls, name)], ["push"]) :
          "${caller}@${var.project}.iam.gserviceaccount.com"
        ])
      }
    },
    { for name in keys(local.jobs) : name => { timeout_s = "600", database_pool = "1", database_user = "${name}@${var.project}.iam" } },
    { for name in keys(local.machines) : name => { timeout_s = "60" } },
  )
}

module "events" {
  source            = "../events"
  project           = var.project
  project_number    = var.project_number
  region            = var.region
  labels            = local.labels
  topics            = local.graph.topics
  dead_letter_topic = local.graph.dead_letter_topic
  dead_letter_edge  = local.graph.dead_letter_edge
  push_edges        = local.graph.push_edges
  pull_edges        = local.graph.pull_edges
  retry             = local.graph.retry
  urls              = local.urls
  push_account      = module.identities.emails.push
  pullers           = { for name in keys(local.machines) : name => module.identities.members[name] }
  publishers = {
    for topic in local.graph.topics : topic => {
      for name, topics in local.everyone_publishes : name => module.identities.members[name] if contains(topics, topic)
    }
  }
}

module "storage" {
  source         = "../storage"
  project        = var.project
  project_number = var.project_number
  region         = var.region
  labels         = local.labels
  topics         = module.events.topics
  notifications  = local.graph.notifications
  buckets = {
    for name, one in local.graph.buckets : name => {
      name        = "${var.project}-${name}"
      versioning  = one.versioning
      expire_days = name == "artifacts" ? { "runs/" = var.keep_runs_days, "training/" = 30 } : {}
    }
  }
  # Phases create and read; a trainer also deletes its checkpoints. Nobody else may change what is there.
  grants = {
    artifacts = {
      "roles/storage.objectViewer"  = { for name in concat(keys(local.functions), ["vllm-vm", "inference-router"]) : name => module.identities.members[name] }
      "roles/storage.objectCreator" = { for name in keys(local.functions) : name => module.identities.members[name] }
      "roles/storage.objectUser"    = { trainer = module.identities.members.trainer }
    }
    configs = {
      "roles/storage.objectUser" = { for name, one in local.functions : name => module.identities.members[name] if try(one.writes_configs, false) }
    }
  }
}

module "documents" {
  source              = "../documents"
  project             = var.project
  location            = var.region
  deletion_protection = var.deletion_protection
}

module "secrets" {
  source            = "../secrets"
  project           = var.project
  project_number    = var.project_number
  labels            = local.labels
  regions           = var.secret_regions
  dead_letter_topic = module.events.dead_letter_topic
  first_rotation    = var.first_rotation
  readers           = { for id, readers in local.file.secrets : id => { for name in keys(readers) : name => module.identities.members[name] } }
}

module "network" {
  source  = "../network"
  project = var.project
  region  = var.region
  egress  = var.egress
}

module "database" {
  source              = "../database"
  project             = var.project
  region              = var.region
  labels              = local.labels
  network             = module.network.network
  peering             = module.network.peering
  tier                = var.database.tier
  availability        = var.database.availability
  disk_gb             = var.database.disk_gb
  max_connections     = var.database.max_connections
  update_track        = var.database.update_track
  roles_exist         = var.database.roles_exist
  backup_location     = var.backup_location
  deletion_protection = var.deletion_protection
  users               = { for name in keys(local.with_database) : name => module.identities.emails[name] }
  migrator            = module.identities.emails.migrate
}

module "function" {
  source   = "../run_service"
  for_each = local.functions

  project             = var.project
  region              = var.region
  name                = each.key
  labels              = merge(local.labels, { kind = "function" })
  image               = var.images.function
  command             = ["python", "-m", "functions_framework"]
  args                = ["--source=functions/${replace(each.key, "-", "_")}/main.py", "--target=${replace(each.key, "-", "_")}", "--signature-type=cloudevent", "--port=8080"]
  account             = module.identities.emails[each.key]
  variables           = module.settings.plain[each.key]
  secrets             = module.settings.secret[each.key]
  memory_mb           = max(512, each.value.memory_mb)
  concurrency         = each.value.concurrency
  max_instances       = each.value.max_instances
  timeout_s           = each.value.timeout_s
  invokers            = { push = module.identities.members.push }
  only_signed_images  = var.only_signed_images
  deletion_protection = var.deletion_protection

  depends_on = [module.secrets]
}

module "service" {
  source   = "../run_service"
  for_each = local.services

  project             = var.project
  region              = var.region
  name                = each.key
  labels              = merge(local.labels, { kind = "service" })
  image               = var.images[each.key]
  account             = module.identities.emails[each.key]
  variables           = module.settings.plain[each.key]
  secrets             = module.settings.secret[each.key]
  memory_mb           = each.value.memory_mb
  cpu_idle            = !try(each.value.works_between_requests, false)
  concurrency         = each.value.concurrency
  min_instances       = each.value.instances[var.environment][0]
  max_instances       = each.value.instances[var.environment][1]
  timeout_s           = each.value.timeout_s
  ready_path          = "/readyz"
  live_path           = "/healthz"
  metrics             = true
  public              = length(each.value.paths) > 0
  egress              = module.network.egress
  only_signed_images  = var.only_signed_images
  deletion_protection = var.deletion_protection

  invokers = merge(
    { for name, other in local.services : name => module.identities.members[name] if contains(other.calls, each.key) },
    contains(keys(local.graph.services), each.key) ? { push = module.identities.members.push } : {},
  )

  depends_on = [module.secrets, module.database]
}

module "trainer" {
  source          = "../trainer"
  project         = var.project
  project_number  = var.project_number
  region          = var.region
  name            = "trainer"
  labels          = local.labels
  image           = var.images.trainer
  account         = module.identities.emails.trainer
  variables       = module.settings.plain.trainer
  timeout_s       = var.training_s
  launchers       = { for name, one in local.functions : name => module.identities.members[name] if try(one.launches, false) }
  watchers        = { for name, one in local.functions : name => module.identities.members[name] if try(one.watches, false) || try(one.launches, false) }
  job_ended_topic = module.events.topics["job-ended"]
}

# The pipeline runs it before traffic moves. The services' own image: migrations are among its files.
module "migrate" {
  source      = "../run_job"
  project     = var.project
  region      = var.region
  name        = "migrate"
  labels      = local.labels
  image       = var.images.migrate
  account     = module.identities.emails.migrate
  variables   = module.settings.plain.migrate
  cpu         = 1
  memory_mb   = 512
  timeout_s   = 600
  max_retries = 1
  egress      = module.network.egress
  runners     = {}

  depends_on = [module.database]
}

module "vllm_vm" {
  source         = "../vllm_vm"
  project        = var.project
  region         = var.region
  zone           = var.model_server.zone
  labels         = local.labels
  machine_type   = var.model_server.machine_type
  machines       = var.model_server.machines
  boot_image     = var.model_server.boot_image
  subnetwork     = module.network.machines_subnetwork
  account        = module.identities.emails["vllm-vm"]
  startup_script = file("${local.root}/../vllm-vm/startup.sh")
  image          = var.images["vllm-vm"]
  variables      = module.settings.plain["vllm-vm"]
  secrets        = module.settings.secret["vllm-vm"]
}

module "front_door" {
  source          = "../front_door"
  project         = var.project
  region          = var.region
  domain          = var.domain
  routes          = merge([for name, one in local.services : { for path in one.paths : path => name }]...)
  run_services    = { for name in keys(local.services) : name => module.service[name].name }
  default_service = "profile"
}

module "schedule" {
  source         = "../schedule"
  project        = var.project
  project_number = var.project_number
  region         = var.region
  schedules      = local.schedules
  topics         = module.events.topics
}

module "observability" {
  source              = "../observability"
  project             = var.project
  environment         = var.environment
  file                = "${local.root}/observability.yaml"
  runbook             = var.runbook
  emails              = var.alert_emails
  domain              = var.domain
  prices              = local.prices
  max_connections     = var.database.max_connections
  teacher_usd_per_day = var.teacher_usd_per_day
}
