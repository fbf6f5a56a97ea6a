# Secrets are made here and read only by their reader: values are ephemeral, never in the state, never in a plan.
# Each is written once; to change one, raise its *_wo_version and apply, then run the migration jobs.

locals {
  database_roles = {
    migrator       = { secret = "database-password-migrator", url = "database-url-admin", login = "migrator" }
    upload-gateway = { secret = "database-password-upload-gateway", url = "database-url-upload-gateway", login = "upload_gateway" }
    search         = { secret = "database-password-search", url = "database-url-search", login = "search" }
  }

  # openai-api-key is filled by hand (docs/deploy.md), where the backend is used at all.
  secret_names = toset(concat(
    [for role in local.database_roles : role.secret],
    [for role in local.database_roles : role.url],
    ["cdn-signing-key"],
    local.uses_openai ? ["openai-api-key"] : [],
  ))
}

resource "google_secret_manager_secret" "secrets" {
  for_each = local.secret_names

  secret_id           = each.value
  deletion_protection = var.deletion_protection
  depends_on          = [google_project_service.apis]

  replication {
    auto {}
  }
}

ephemeral "random_password" "passwords" {
  for_each = local.database_roles

  length  = 40
  special = false
}

resource "google_secret_manager_secret_version" "passwords" {
  for_each = local.database_roles

  secret                 = google_secret_manager_secret.secrets[each.value.secret].id
  secret_data_wo         = ephemeral.random_password.passwords[each.key].result
  secret_data_wo_version = "1"
}

# Read back from where it is kept, so that an apply that broke off half-way cannot leave two different passwords.
ephemeral "google_secret_manager_secret_version" "passwords" {
  for_each = local.database_roles

  secret  = google_secret_manager_secret_version.passwords[each.key].secret
  version = google_secret_manager_secret_version.passwords[each.key].version
}

resource "google_secret_manager_secret_version" "database_urls" {
  for_each = local.database_roles

  secret = google_secret_manager_secret.secrets[each.value.url].id
  secret_data_wo = format(
    "postgresql+asyncpg://%s:%s@%s:5432/%s?ssl=require",
    each.value.login,
    ephemeral.google_secret_manager_secret_version.passwords[each.key].secret_data,
    google_sql_database_instance.this.private_ip_address,
    google_sql_database.this.name,
  )
  secret_data_wo_version = "1"
}

# What links to the CDN are signed with: 128 bits, in the alphabet that URLs and the CDN use.
ephemeral "random_bytes" "cdn_key" {
  length = 16
}

resource "google_secret_manager_secret_version" "cdn_key" {
  secret                 = google_secret_manager_secret.secrets["cdn-signing-key"].id
  secret_data_wo         = replace(replace(ephemeral.random_bytes.cdn_key.base64, "+", "-"), "/", "_")
  secret_data_wo_version = "1"
}
