# One address, two host names: page and API (search's paths to search, the rest to upload-gateway), and the CDN with the
# thumbnails. Thumbnails are private: the CDN serves only links that upload-gateway has signed. The signing key is given to
# the CDN by hand (docs/deploy.md), because Terraform would keep it in its state.

locals {
  cdn_key_name = "mmsearch"
  backends     = { for name, service in local.services : name => service if service.public }
}

resource "google_compute_global_address" "public" {
  name       = "mmsearch"
  depends_on = [google_project_service.apis]
}

resource "google_compute_region_network_endpoint_group" "services" {
  for_each = local.backends

  name                  = each.key
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloud_run_v2_service.services[each.key].name
  }
}

resource "google_compute_backend_service" "services" {
  for_each = local.backends

  name                  = "mmsearch-${each.key}"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"

  backend {
    group = google_compute_region_network_endpoint_group.services[each.key].id
  }

  log_config {
    enable      = true
    sample_rate = 0.1
  }
}

resource "google_compute_backend_bucket" "thumbnails" {
  name        = "mmsearch-thumbnails"
  bucket_name = google_storage_bucket.buckets["artifacts"].name
  enable_cdn  = true

  custom_response_headers = ["X-Content-Type-Options: nosniff", "Content-Security-Policy: default-src 'none'"]

  cdn_policy {
    cache_mode                   = "FORCE_CACHE_ALL"
    default_ttl                  = 86400
    client_ttl                   = 300
    signed_url_cache_max_age_sec = 86400
    request_coalescing           = true
  }
}

resource "google_compute_managed_ssl_certificate" "public" {
  name = "mmsearch-${substr(sha256("${var.domain} ${var.thumbnail_domain}"), 0, 8)}"

  managed {
    domains = [var.domain, var.thumbnail_domain]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_url_map" "public" {
  name            = "mmsearch"
  default_service = google_compute_backend_service.services["upload-gateway"].id

  host_rule {
    hosts        = [var.domain]
    path_matcher = "api"
  }

  host_rule {
    hosts        = [var.thumbnail_domain]
    path_matcher = "thumbnails"
  }

  path_matcher {
    name            = "api"
    default_service = google_compute_backend_service.services["upload-gateway"].id

    # Ordered by priority; a template takes one segment for {id}.
    route_rules {
      priority = 1
      service  = google_compute_backend_service.services["search"].id

      match_rules {
        prefix_match = "/api/v1/search"
      }
      match_rules {
        full_path_match = "/api/v1/feedback"
      }
      match_rules {
        path_template_match = "/api/v1/file/{id=*}/similar"
      }
      match_rules {
        path_template_match = "/api/v1/file/{id=*}/text"
      }
    }

    # Operators' routes and Pub/Sub's doors are not for the public.
    route_rules {
      priority = 2
      service  = google_compute_backend_service.services["upload-gateway"].id

      match_rules {
        prefix_match = "/events/"
      }
      match_rules {
        full_path_match = "/metrics"
      }

      route_action {
        url_rewrite {
          path_prefix_rewrite = "/not-public"
        }
      }
    }
  }

  path_matcher {
    name            = "thumbnails"
    default_service = google_compute_backend_bucket.thumbnails.id
  }
}

resource "google_compute_target_https_proxy" "public" {
  name             = "mmsearch"
  url_map          = google_compute_url_map.public.id
  ssl_certificates = [google_compute_managed_ssl_certificate.public.id]
}

resource "google_compute_global_forwarding_rule" "https" {
  name                  = "mmsearch-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.public.id
  port_range            = "443"
  target                = google_compute_target_https_proxy.public.id
}

# Plain HTTP is only ever sent on to HTTPS.
resource "google_compute_url_map" "redirect" {
  name = "mmsearch-redirect"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "redirect" {
  name    = "mmsearch-redirect"
  url_map = google_compute_url_map.redirect.id
}

resource "google_compute_global_forwarding_rule" "http" {
  name                  = "mmsearch-http"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.public.id
  port_range            = "80"
  target                = google_compute_target_http_proxy.redirect.id
}
