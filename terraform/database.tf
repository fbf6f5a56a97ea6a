# PostgreSQL 18 with pgvector. The schemas, their roles and the extension are made by the migration jobs, which log in as
# "migrator": an account made through the API belongs to cloudsqlsuperuser and may create roles and the extension vector.

locals {
  database_memory_mb = tonumber(regex("^db-custom-[0-9]+-([0-9]+)$", var.database.tier)[0])

  # What the planner was measured with (deploy/local/localcloud/postgres_cluster.py; docs/search-index.md says why), in the
  # units that flags have: shared_buffers in 8 kB, other memory in kB, max_wal_size in MB, autovacuum_naptime in seconds.
  # Building an HNSW index in maintenance_work_mem is what makes it minutes instead of hours.
  database_flags = {
    shared_buffers       = tostring(floor(local.database_memory_mb * 1024 / 8 / 4))
    maintenance_work_mem = var.database.maintenance_work_mem
    work_mem             = "16384"
    random_page_cost     = "1.1"
    max_wal_size         = "2048"
    autovacuum_naptime   = "15"

    max_connections                     = tostring(var.database.max_connections)
    idle_in_transaction_session_timeout = "60000"
    log_min_duration_statement          = "1000"
  }
}

resource "google_sql_database_instance" "this" {
  name                = "mmsearch"
  region              = var.region
  database_version    = "POSTGRES_18"
  deletion_protection = var.deletion_protection

  settings {
    edition                     = "ENTERPRISE"
    tier                        = var.database.tier
    availability_type           = var.database.availability
    disk_type                   = "PD_SSD"
    disk_size                   = var.database.disk_gb
    disk_autoresize             = true
    deletion_protection_enabled = var.deletion_protection

    ip_configuration {
      ipv4_enabled                                  = false
      private_network                               = google_compute_network.this.id
      ssl_mode                                      = "ENCRYPTED_ONLY"
      enable_private_path_for_google_cloud_services = true
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "02:00"
      location                       = var.region
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7

      backup_retention_settings {
        retained_backups = var.database.backups
      }
    }

    maintenance_window {
      day          = 7
      hour         = 3
      update_track = "stable"
    }

    insights_config {
      query_insights_enabled  = true
      record_application_tags = false
      record_client_address   = false
    }

    dynamic "database_flags" {
      for_each = local.database_flags
      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }

  depends_on = [google_service_networking_connection.database]
}

resource "google_sql_database" "this" {
  name            = "mmsearch"
  instance        = google_sql_database_instance.this.name
  deletion_policy = "ABANDON"
}

resource "google_sql_user" "migrator" {
  name                = "migrator"
  instance            = google_sql_database_instance.this.name
  password_wo         = ephemeral.google_secret_manager_secret_version.passwords["migrator"].secret_data
  password_wo_version = 1
  deletion_policy     = "ABANDON"
}
