# Who may do what. One account per service, one whose tokens Pub/Sub pushes with, one for CI; nothing beyond these tables
# is granted to them, and tests/deploy holds the same list.

locals {
  # On the project: telemetry for everybody, the model for the analyzer.
  project_roles = {
    upload-gateway  = ["roles/monitoring.metricWriter", "roles/telemetry.tracesWriter"]
    media-processor = ["roles/monitoring.metricWriter", "roles/telemetry.tracesWriter"]
    analyzer        = ["roles/monitoring.metricWriter", "roles/telemetry.tracesWriter", "roles/aiplatform.user"]
    embedder        = ["roles/monitoring.metricWriter", "roles/telemetry.tracesWriter"]
    search          = ["roles/monitoring.metricWriter", "roles/telemetry.tracesWriter"]
  }

  # On the two buckets. legacyBucketReader is what readiness asks for (does the bucket answer?).
  bucket_roles = {
    upload-gateway = {
      uploads   = ["roles/storage.objectUser", "roles/storage.legacyBucketReader"]
      artifacts = ["roles/storage.objectViewer", "roles/storage.legacyBucketReader"]
    }
    media-processor = {
      uploads   = ["roles/storage.objectUser"] # it removes originals for good (upload.deleted.v1 with purge)
      artifacts = ["roles/storage.objectUser", "roles/storage.legacyBucketReader"]
    }
    analyzer = {
      artifacts = ["roles/storage.objectCreator", "roles/storage.objectViewer", "roles/storage.legacyBucketReader"]
    }
    embedder = {
      artifacts = ["roles/storage.objectCreator", "roles/storage.objectViewer", "roles/storage.legacyBucketReader"]
    }
    search = {
      artifacts = ["roles/storage.objectViewer", "roles/storage.legacyBucketReader"]
    }
  }

  # On topics: what each says. Any stage may give up on a file or on a message; the gateway redrives and republishes.
  publishes = {
    upload-gateway  = var.topics
    media-processor = ["media.processed.v1", "media.failed.v1", "dead.letter.v1"]
    analyzer        = ["media.analyzed.v1", "media.failed.v1", "dead.letter.v1"]
    embedder        = ["media.embedded.v1", "upload.reembed.v1", "media.failed.v1", "dead.letter.v1"]
    search          = ["media.indexed.v1", "media.failed.v1", "dead.letter.v1"]
  }

  # On secrets; the values are in secrets.tf.
  reads_secrets = {
    upload-gateway  = ["database-url-upload-gateway", "cdn-signing-key"]
    media-processor = []
    analyzer        = []
    embedder        = local.uses_openai ? ["openai-api-key"] : []
    search          = concat(["database-url-search"], local.uses_openai ? ["openai-api-key"] : [])
  }

  project_grants = merge([for service, roles in local.project_roles : {
    for role in roles : "${service} ${role}" => { service = service, role = role }
  }]...)

  bucket_grants = merge(flatten([for service, buckets in local.bucket_roles : [
    for bucket, roles in buckets : {
      for role in roles : "${service} ${bucket} ${role}" => { service = service, bucket = bucket, role = role }
    }
  ]])...)

  topic_grants = merge([for service, topics in local.publishes : {
    for topic in topics : "${service} ${topic}" => { service = service, topic = topic }
  }]...)

  secret_grants = merge([for service, secrets in local.reads_secrets : {
    for secret in secrets : "${service} ${secret}" => { service = service, secret = secret }
  }]...)
}

resource "google_service_account" "services" {
  for_each = local.services

  account_id   = "mmsearch-${each.key}"
  display_name = "mmsearch ${each.key}"
  depends_on   = [google_project_service.apis]
}

resource "google_project_iam_member" "services" {
  for_each = local.project_grants

  project = var.project
  role    = each.value.role
  member  = google_service_account.services[each.value.service].member
}

# Only where tokens are checked for revocation: the two that verify them may look accounts up.
resource "google_project_iam_member" "revocation" {
  for_each = { for name, service in local.services : name => service if service.public && var.sign_in.firebase_check_revoked }

  project = var.sign_in.firebase_project
  role    = "roles/firebaseauth.viewer"
  member  = google_service_account.services[each.key].member
}

resource "google_storage_bucket_iam_member" "services" {
  for_each = local.bucket_grants

  bucket = google_storage_bucket.buckets[each.value.bucket].name
  role   = each.value.role
  member = google_service_account.services[each.value.service].member
}

resource "google_pubsub_topic_iam_member" "services" {
  for_each = local.topic_grants

  topic  = google_pubsub_topic.topics[each.value.topic].name
  role   = "roles/pubsub.publisher"
  member = google_service_account.services[each.value.service].member
}

resource "google_secret_manager_secret_iam_member" "services" {
  for_each = local.secret_grants

  secret_id = google_secret_manager_secret.secrets[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.services[each.value.service].member
}

# upload-gateway signs download links with its own account, without a key file.
resource "google_service_account_iam_member" "gateway_signs" {
  service_account_id = google_service_account.services["upload-gateway"].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = google_service_account.services["upload-gateway"].member
}

# Pub/Sub pushes with this account's tokens; it may call the five services and do nothing else.
resource "google_service_account" "push" {
  account_id   = "mmsearch-push"
  display_name = "mmsearch Pub/Sub push"
  depends_on   = [google_project_service.apis]
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.services

  name     = google_cloud_run_v2_service.services[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.push.member
}

# The two services behind the load balancer check their callers themselves: users' tokens are no Google accounts.
resource "google_cloud_run_v2_service_iam_member" "public" {
  for_each = { for name, service in local.services : name => service if service.public }

  name     = google_cloud_run_v2_service.services[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}

# Migrations run as an account of their own: no service ever holds the database administrator's password.
resource "google_service_account" "migrations" {
  account_id   = "mmsearch-migrations"
  display_name = "mmsearch database migrations"
  depends_on   = [google_project_service.apis]
}

resource "google_secret_manager_secret_iam_member" "migrations" {
  for_each = toset(["database-url-admin", "database-password-upload-gateway", "database-password-search"])

  secret_id = google_secret_manager_secret.secrets[each.value].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.migrations.member
}
