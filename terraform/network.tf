# A network of our own: services reach the database on a private address, nothing else comes in.

resource "google_compute_network" "this" {
  name                    = "mmsearch"
  auto_create_subnetworks = false
  depends_on              = [google_project_service.apis]
}

resource "google_compute_subnetwork" "services" {
  name                     = "mmsearch-services"
  network                  = google_compute_network.this.id
  region                   = var.region
  ip_cidr_range            = "10.10.0.0/22"
  private_ip_google_access = true
}

resource "google_compute_global_address" "database" {
  name          = "mmsearch-database"
  network       = google_compute_network.this.id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
}

resource "google_service_networking_connection" "database" {
  network                 = google_compute_network.this.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.database.name]
  deletion_policy         = "ABANDON"
}

# Counters of the rate limits, of calls and money of paid providers, and a week's vectors, shared by all instances. All may
# be lost: requests are then counted anew, running instances say again what has been spent, texts are encoded again.
resource "google_redis_instance" "rate_limits" {
  name           = "mmsearch-rate-limits"
  region         = var.region
  tier           = "BASIC"
  memory_size_gb = 1
  redis_version  = "REDIS_7_2"
  # Everything in it expires. When it is full, what was not asked for lately goes: vectors, never a counter in use.
  redis_configs      = { maxmemory-policy = "volatile-lru" }
  connect_mode       = "PRIVATE_SERVICE_ACCESS"
  authorized_network = google_compute_network.this.id
  depends_on         = [google_service_networking_connection.database]
}
