# Small and forgetful: scales to zero, may be destroyed. Replace project, domains, repository and address by your own.
project           = "mmsearch-dev"
environment       = "dev"
region            = "europe-west1"
domain            = "dev.mmsearch.example.com"
thumbnail_domain  = "thumbnails.dev.mmsearch.example.com"
web_origins       = ["http://localhost:8080"]
release           = "v0.1.0"
github_repository = "example/mmsearch"
alert_email       = "dev@example.com"

analyzer_backend    = "local"
embedding_backend   = "local"
deletion_protection = false

sign_in = {
  firebase_project = "mmsearch-dev"
}

sizes = {
  upload-gateway  = { min = 1, max = 2 }
  media-processor = { min = 0, max = 2 }
  analyzer        = { min = 0, max = 2 }
  embedder        = { min = 0, max = 2 }
  search          = { min = 1, max = 2 }
}

database = {
  tier                 = "db-custom-1-3840"
  disk_gb              = 10
  availability         = "ZONAL"
  backups              = 7
  max_connections      = 160
  maintenance_work_mem = "524288"
}
