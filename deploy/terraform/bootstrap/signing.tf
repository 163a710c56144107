# Binary Authorization: stage and prod run what the pipeline has signed, and nothing else.

resource "google_binary_authorization_policy" "this" {
  project                       = var.project
  global_policy_evaluation_mode = "ENABLE"

  default_admission_rule {
    evaluation_mode         = var.environment == "dev" ? "ALWAYS_ALLOW" : "REQUIRE_ATTESTATION"
    enforcement_mode        = "ENFORCED_BLOCK_AND_AUDIT_LOG"
    require_attestations_by = var.environment == "dev" ? [] : [google_binary_authorization_attestor.pipeline.name]
  }

  # Google's own: the collector of metrics beside the services.
  admission_whitelist_patterns {
    name_pattern = "us-docker.pkg.dev/cloud-ops-agents-artifacts/**"
  }

  depends_on = [google_project_service.this]
}

resource "google_container_analysis_note" "pipeline" {
  project = var.project
  name    = "pipeline"

  attestation_authority {
    hint {
      human_readable_name = "FitSense's pipeline: tested, scanned, signed"
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_kms_key_ring" "this" {
  project  = var.project
  name     = "fitsense"
  location = var.region

  depends_on = [google_project_service.this]
}

resource "google_kms_crypto_key" "attestor" {
  name     = "attestor"
  key_ring = google_kms_key_ring.this.id
  purpose  = "ASYMMETRIC_SIGN"

  version_template {
    algorithm        = "EC_SIGN_P256_SHA256"
    protection_level = "SOFTWARE"
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "pipeline" {
  crypto_key_id = google_kms_crypto_key.attestor.id
  role          = "roles/cloudkms.signerVerifier"
  member        = local.pipeline
}

resource "google_binary_authorization_attestor" "pipeline" {
  project = var.project
  name    = "pipeline"

  attestation_authority_note {
    note_reference = google_container_analysis_note.pipeline.name

    public_keys {
      id = "//cloudkms.googleapis.com/v1/${google_kms_crypto_key.attestor.id}/cryptoKeyVersions/1"

      pkix_public_key {
        public_key_pem      = var.attestor_public_key
        signature_algorithm = "ECDSA_P256_SHA256"
      }
    }
  }
}
