# Two zones, protected, long videos and paid analysis in worker pools. Replace project, domains, repository and address by your own.
project           = "mmsearch-prod"
environment       = "prod"
region            = "europe-west1"
domain            = "mmsearch.example.com"
thumbnail_domain  = "thumbnails.mmsearch.example.com"
release           = "v0.1.0"
github_repository = "example/mmsearch"
alert_email       = "oncall@example.com"

analyzer_backend  = "gemini"
embedding_backend = "local"
daily_budget_usd  = 50

# These pull. Instances are counted by hand: an analyzer works on four files at once, 10 to 30 s each by Gemini.
worker_instances = {
  media-processor = 2
  analyzer        = 4
}

sign_in = {
  oidc_issuer    = "https://accounts.example.com"
  oidc_client_id = "mmsearch-web"
}

# Instances of upload-gateway and search open 16 connections each (DATABASE_POOL_SIZE), one of upload-gateway listens by
# one more: 20 instances are 330, and 660 while a rollout has both revisions. max_connections below leaves 40 for jobs:
# those that run by themselves, too, have a connection of their own while they run, on one instance each.
sizes = {
  upload-gateway  = { min = 2, max = 10 }
  media-processor = { min = 0, max = 20 }
  analyzer        = { min = 0, max = 20 }
  embedder        = { min = 0, max = 10 }
  search          = { min = 2, max = 10 }
}

database = {
  tier                 = "db-custom-4-16384"
  disk_gb              = 100
  availability         = "REGIONAL"
  backups              = 30
  max_connections      = 700
  maintenance_work_mem = "2097152"
}
