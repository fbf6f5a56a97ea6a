# The five services on Cloud Run: one row each, and everything Cloud Run is told is derived from the rows.
#
# Terraform owns a service's shape. Its image and its traffic belong to the release script (deploy/release), which is why
# both are ignored here after the first apply. The name of the revision is not ignored: a changed shape makes a revision of
# its own, without traffic, and goes live with the next release. docs/decisions/0012.

locals {
  # concurrency: requests one instance works on at once. For stages it is what the contracts say one instance can do; for
  # the two that answer people it is what their connection pools carry. Of upload-gateway's memory half is for the files
  # that are sent through it (services/upload_gateway/places.py).
  # always_on: CPU between requests too, for the outbox relay and for open event streams.
  services = {
    upload-gateway  = { cpu = "1", memory = "1Gi", concurrency = 80, timeout = "3600s", public = true, always_on = true, database = true }
    media-processor = { cpu = "4", memory = "8Gi", concurrency = 2, timeout = "600s", public = false, always_on = false, database = false }
    analyzer        = { cpu = "2", memory = "4Gi", concurrency = 4, timeout = "600s", public = false, always_on = false, database = false }
    embedder        = { cpu = "2", memory = "2Gi", concurrency = 4, timeout = "300s", public = false, always_on = false, database = false }
    search          = { cpu = "2", memory = "2Gi", concurrency = 40, timeout = "300s", public = true, always_on = true, database = true }
  }

  images = { for name, _ in local.services : name => "${local.image_root}/${name}:${var.release}" }

  # Who a push is for: a name of our own, because a service's address is not known before it exists.
  audiences = { for name, _ in local.services : name => "mmsearch-${name}" }

  environment_of_all = {
    GOOGLE_CLOUD_PROJECT        = var.project
    UPLOADS_BUCKET              = google_storage_bucket.buckets["uploads"].name
    ARTIFACTS_BUCKET            = google_storage_bucket.buckets["artifacts"].name
    OTEL_EXPORTER_OTLP_ENDPOINT = "http://localhost:4318"
  }

  # The two that face the public. Believed of where a request came from are the platform's own hop, Google's front ends and
  # our address, in whose name the load balancer speaks; what stands before them in the chain anybody could have written.
  environment_of_public = {
    ENVIRONMENT = "production"
    TRUSTED_PROXIES = join(",", [
      "169.254.0.0/16", "130.211.0.0/22", "35.191.0.0/16", "${google_compute_global_address.public.address}/32",
    ])
    RATE_LIMIT_STORE       = "${local.redis}/0"
    OIDC_ISSUER            = var.sign_in.oidc_issuer
    OIDC_CLIENT_ID         = var.sign_in.oidc_client_id
    FIREBASE_PROJECT       = var.sign_in.firebase_project
    FIREBASE_CHECK_REVOKED = var.sign_in.firebase_check_revoked ? "true" : null
  }

  # One Redis for all instances: requests of users in database 0, calls and money of paid providers in 1, vectors in 2.
  redis               = "redis://${google_redis_instance.rate_limits.host}:${google_redis_instance.rate_limits.port}"
  provider_limits_url = "${local.redis}/1"

  environment = {
    upload-gateway = {
      MAX_FILE_SIZE = tostring(var.max_file_size)
      THUMBNAIL_CDN = "https://${var.thumbnail_domain}"
      CDN_KEY_NAME  = local.cdn_key_name
    }
    media-processor = {
      MAX_FILE_SIZE = tostring(var.max_file_size)
    }
    analyzer = {
      ANALYZER_BACKEND           = var.analyzer_backend
      GEMINI_VERTEX_PROJECT      = var.project
      GEMINI_DAILY_BUDGET_USD    = tostring(var.daily_budget_usd)
      GEMINI_REQUESTS_PER_MINUTE = tostring(var.gemini_requests_per_minute)
      PROVIDER_LIMITS_URL        = local.provider_limits_url
    }
    embedder = local.embedding_environment
    search   = local.embedding_environment
  }

  embedding_environment = merge({
    EMBEDDING_BACKEND       = var.embedding_backend
    OPENAI_DAILY_BUDGET_USD = tostring(var.daily_budget_usd)
    PROVIDER_LIMITS_URL     = local.provider_limits_url
    EMBEDDING_CACHE_URL     = "${local.redis}/2"
  }, var.embedding_next_backend == "" ? {} : { EMBEDDING_NEXT_BACKEND = var.embedding_next_backend })

  uses_openai = contains([var.embedding_backend, var.embedding_next_backend], "openai")

  # Environment variable → secret.
  secret_environment = {
    upload-gateway  = { DATABASE_URL = "database-url-upload-gateway", CDN_SIGNING_KEY = "cdn-signing-key" }
    media-processor = {}
    analyzer        = {}
    embedder        = local.openai_secret
    search          = merge({ DATABASE_URL = "database-url-search" }, local.openai_secret)
  }

  openai_secret = { for name in ["openai-api-key"] : "OPENAI_API_KEY" => name if local.uses_openai }

  push_environment = { for name, service in local.services : name => {
    PUSH_AUDIENCE        = local.audiences[name]
    PUSH_SERVICE_ACCOUNT = google_service_account.push.email
    # Where only the push account may call, Cloud Run has checked the token and may have taken its signature off.
    PUSH_AUTH       = service.public ? "jwt" : "cloud_run_iam"
    SERVICE_INGRESS = service.public ? "public" : "internal"
  } }
}

resource "google_cloud_run_v2_service" "services" {
  for_each = local.services

  name                = each.key
  location            = var.region
  ingress             = each.value.public ? "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" : "INGRESS_TRAFFIC_INTERNAL_ONLY"
  custom_audiences    = [local.audiences[each.key]]
  deletion_protection = var.deletion_protection

  scaling {
    min_instance_count = var.sizes[each.key].min
  }

  template {
    service_account                  = google_service_account.services[each.key].email
    timeout                          = each.value.timeout
    max_instance_request_concurrency = each.value.concurrency

    scaling {
      max_instance_count = var.sizes[each.key].max
    }

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"
      network_interfaces {
        network    = google_compute_network.this.id
        subnetwork = google_compute_subnetwork.services.id
      }
    }

    containers {
      name       = "service"
      image      = local.images[each.key]
      depends_on = ["collector"]

      ports {
        container_port = 8080
      }

      resources {
        limits            = { cpu = each.value.cpu, memory = each.value.memory }
        cpu_idle          = !each.value.always_on
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = { for name, value in merge(
          local.environment_of_all,
          each.value.public ? local.environment_of_public : {},
          local.environment[each.key],
          local.push_environment[each.key],
        ) : name => value if value != null }
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = local.secret_environment[each.key]
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.secrets[env.value].secret_id
              version = "latest"
            }
          }
        }
      }

      # Started: the process answers. Whether its dependencies do is readiness, which an outage must not turn into restarts.
      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 60
        http_get {
          path = "/health"
        }
      }

      liveness_probe {
        period_seconds    = 15
        timeout_seconds   = 5
        failure_threshold = 4
        http_get {
          path = "/health"
        }
      }
    }

    # Scrapes /metrics and takes spans on localhost, and sends both to Google with the service's own account.
    containers {
      name  = "collector"
      image = local.collector_image
      args  = ["--config=env:COLLECTOR_CONFIG"]

      env {
        name  = "COLLECTOR_CONFIG"
        value = local.collector_config
      }

      resources {
        limits            = { cpu = "0.5", memory = "256Mi" }
        cpu_idle          = !each.value.always_on
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 2
        failure_threshold = 30
        tcp_socket {
          port = 4318
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [template[0].containers[0].image, traffic, client, client_version]
  }

  depends_on = [
    google_project_service.apis,
    google_secret_manager_secret_iam_member.services,
    google_secret_manager_secret_version.database_urls,
    google_secret_manager_secret_version.cdn_key,
  ]
}

# For work that takes longer than a push request may, and for stages that wait for money: the same image pulls instead, and
# extends the leases of what it holds as long as it works or waits. docs/decisions/0022.
resource "google_cloud_run_v2_worker_pool" "pulling" {
  for_each = var.worker_instances

  name                = "${each.key}-pull"
  location            = var.region
  deletion_protection = var.deletion_protection

  scaling {
    manual_instance_count = each.value
  }

  template {
    service_account = google_service_account.services[each.key].email

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"
      network_interfaces {
        network    = google_compute_network.this.id
        subnetwork = google_compute_subnetwork.services.id
      }
    }

    containers {
      name  = "service"
      image = local.images[each.key]

      resources {
        limits = { cpu = local.services[each.key].cpu, memory = local.services[each.key].memory }
      }

      # Without PUSH_AUDIENCE the service pulls.
      dynamic "env" {
        for_each = merge(local.environment_of_all, local.environment[each.key])
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = local.secret_environment[each.key]
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.secrets[env.value].secret_id
              version = "latest"
            }
          }
        }
      }
    }

    containers {
      name  = "collector"
      image = local.collector_image
      args  = ["--config=env:COLLECTOR_CONFIG"]

      env {
        name  = "COLLECTOR_CONFIG"
        value = local.collector_config
      }

      resources {
        limits = { cpu = "0.5", memory = "256Mi" }
      }
    }
  }

  lifecycle {
    ignore_changes = [template[0].containers[0].image, instance_splits, client, client_version]
  }

  depends_on = [
    google_project_service.apis,
    google_secret_manager_secret_iam_member.services,
  ]
}

resource "google_pubsub_subscription_iam_member" "stages_pull" {
  for_each = local.pulled_subscriptions

  subscription = google_pubsub_subscription.subscriptions[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.services[each.value.service].member
}

# One job per schema, run by the release script before any traffic moves: python -m database.migrate SERVICE.
resource "google_cloud_run_v2_job" "migrations" {
  for_each = { for name, service in local.services : name => service if service.database }

  name                = "migrate-${each.key}"
  location            = var.region
  deletion_protection = false

  template {
    template {
      service_account = google_service_account.migrations.email
      max_retries     = 0
      timeout         = "1800s"

      vpc_access {
        egress = "PRIVATE_RANGES_ONLY"
        network_interfaces {
          network    = google_compute_network.this.id
          subnetwork = google_compute_subnetwork.services.id
        }
      }

      containers {
        image   = local.images[each.key]
        command = ["python"]
        args    = ["-m", "database.migrate", replace(each.key, "-", "_")]

        resources {
          limits = { cpu = "1", memory = "512Mi" }
        }

        env {
          name = "DATABASE_URL"
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.secrets["database-url-admin"].secret_id
              version = "latest"
            }
          }
        }

        env {
          name = "ROLE_PASSWORD"
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.secrets["database-password-${each.key}"].secret_id
              version = "latest"
            }
          }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [template[0].template[0].containers[0].image, client, client_version]
  }

  depends_on = [
    google_secret_manager_secret_iam_member.migrations,
    google_secret_manager_secret_version.database_urls,
    google_secret_manager_secret_version.passwords,
  ]
}

locals {
  collector_image  = "us-docker.pkg.dev/cloud-ops-agents-artifacts/google-cloud-opentelemetry-collector/otelcol-google:0.144.0"
  collector_config = file("${path.module}/../deploy/cloudrun/collector.yaml")
}
