# The two buckets: what people send, and what is made of it. Only the first raises notifications.

locals {
  bucket_names = {
    uploads   = "${var.project}-uploads"
    artifacts = "${var.project}-artifacts"
  }
  web_origins = concat(["https://${var.domain}"], var.web_origins)
}

resource "google_storage_bucket" "buckets" {
  for_each = local.bucket_names

  name                        = each.value
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  # No versioning: with it a deletion is told as an archiving, and the index would keep what is gone. What was deleted
  # by mistake can be restored for 30 days instead.
  versioning {
    enabled = false
  }

  soft_delete_policy {
    retention_duration_seconds = 2592000
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }

  # Should somebody turn versioning on: old versions go after 30 days too.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 30
    }
  }

  # Browsers send to upload sessions directly; the origins are exact, for a session answers only the one it was made for.
  dynamic "cors" {
    for_each = each.key == "uploads" ? [local.web_origins] : []
    content {
      origin          = cors.value
      method          = ["GET", "HEAD", "PUT", "POST", "OPTIONS"]
      response_header = ["Content-Type", "Content-Range", "Range", "Location", "ETag", "X-Goog-Resumable"]
      max_age_seconds = 3600
    }
  }

  depends_on = [google_project_service.apis]
}

resource "google_storage_notification" "uploads" {
  for_each = var.notifications

  bucket         = google_storage_bucket.buckets["uploads"].name
  topic          = google_pubsub_topic.topics[each.key].id
  event_types    = compact([each.value])
  payload_format = "JSON_API_V1"
  depends_on     = [google_pubsub_topic_iam_member.storage_notifies]
}

resource "google_pubsub_topic_iam_member" "storage_notifies" {
  for_each = var.notifications

  topic  = google_pubsub_topic.topics[each.key].name
  role   = "roles/pubsub.publisher"
  member = local.storage_agent
}
