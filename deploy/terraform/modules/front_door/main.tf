# The front door: one address, HTTPS, a rate rule, and paths that lead to services. What no path names is 404 here, so
# that internal endpoints, pushes and metrics are not reachable from outside whatever a service answers.

locals {
  services = toset([for service in values(var.routes) : service])
  default  = var.default_service
}

resource "google_compute_global_address" "this" {
  project = var.project
  name    = "fitsense"
}

resource "google_compute_managed_ssl_certificate" "this" {
  project = var.project
  name    = "fitsense-${substr(sha1(var.domain), 0, 8)}"

  managed {
    domains = [var.domain]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_region_network_endpoint_group" "this" {
  for_each = local.services

  project               = var.project
  name                  = each.key
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = var.run_services[each.key]
  }
}

resource "google_compute_security_policy" "this" {
  project = var.project
  name    = "fitsense"

  adaptive_protection_config {
    layer_7_ddos_defense_config {
      enable = true
    }
  }

  rule {
    priority    = 1000
    action      = "throttle"
    description = "So many requests a minute from one address; more are answered 429."

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = var.requests_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    priority    = 900
    action      = "throttle"
    description = "Logging in is guessed at; far fewer."

    match {
      expr {
        expression = "request.path.startsWith('/v1/auth/')"
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = var.logins_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    priority    = 500
    action      = "deny(403)"
    description = "Log4j's hole (CVE-2021-44228), which scanners still try."

    match {
      expr {
        expression = "evaluatePreconfiguredWaf('cve-canary', {'sensitivity': 1})"
      }
    }
  }

  rule {
    priority    = 2147483647
    action      = "allow"
    description = "What no other rule is about."

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}

resource "google_compute_backend_service" "this" {
  for_each = local.services

  project               = var.project
  name                  = each.key
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  security_policy       = google_compute_security_policy.this.id

  backend {
    group = google_compute_region_network_endpoint_group.this[each.key].id
  }

  log_config {
    enable      = true
    sample_rate = var.log_share
  }
}

resource "google_compute_url_map" "this" {
  project         = var.project
  name            = "fitsense"
  default_service = google_compute_backend_service.this[local.default].id

  host_rule {
    hosts        = [var.domain]
    path_matcher = "services"
  }

  path_matcher {
    name            = "services"
    default_service = google_compute_backend_service.this[local.default].id

    # Whatever no rule below names ends here.
    default_route_action {
      fault_injection_policy {
        abort {
          http_status = 404
          percentage  = 100
        }
      }
    }

    dynamic "path_rule" {
      for_each = local.services

      content {
        paths   = sort(flatten([for path, service in var.routes : [path, "${path}/*"] if service == path_rule.value]))
        service = google_compute_backend_service.this[path_rule.value].id
      }
    }
  }
}

# There is no port 80: nobody types addresses of an API, and tokens are not sent in plain text by mistake.
resource "google_compute_target_https_proxy" "this" {
  project          = var.project
  name             = "fitsense"
  url_map          = google_compute_url_map.this.id
  ssl_certificates = [google_compute_managed_ssl_certificate.this.id]
}

resource "google_compute_global_forwarding_rule" "this" {
  project               = var.project
  name                  = "fitsense"
  target                = google_compute_target_https_proxy.this.id
  ip_address            = google_compute_global_address.this.address
  port_range            = "443"
  load_balancing_scheme = "EXTERNAL_MANAGED"
}
