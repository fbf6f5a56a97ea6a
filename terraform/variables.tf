# What an environment chooses (environments/*.tfvars), and what contracts/ renders (topology.auto.tfvars.json).

variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "environment" {
  description = "dev or prod; a label on everything."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment is dev or prod."
  }
}

variable "region" {
  description = "Region of services, database, buckets and registry."
  type        = string
  default     = "europe-west1"
}

variable "domain" {
  description = "Public host name of page and API; its A record must point at the output load_balancer_ip."
  type        = string
}

variable "thumbnail_domain" {
  description = "Public host name of the CDN that serves thumbnails; its A record points at the same address."
  type        = string
}

variable "web_origins" {
  description = "Further exact origins whose pages may send to the uploads bucket, such as http://localhost:5173."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.web_origins : can(regex("^https?://[^/*]+$", origin))])
    error_message = "An origin is scheme://host[:port], without a path and without wildcards."
  }
}

variable "release" {
  description = "Image tag of the first apply; later releases are the release script's business."
  type        = string
}

variable "github_repository" {
  description = "owner/name whose tagged workflows may deploy."
  type        = string
}

variable "alert_email" {
  description = "Who is told when an alert fires."
  type        = string
}

variable "sign_in" {
  description = "Whose tokens are believed: an OpenID Connect issuer with the page's client id, or a Firebase project."
  type = object({
    oidc_issuer      = optional(string)
    oidc_client_id   = optional(string)
    firebase_project = optional(string)
  })

  validation {
    condition     = (var.sign_in.oidc_issuer == null) != (var.sign_in.firebase_project == null)
    error_message = "Name either an issuer or a Firebase project."
  }
}

variable "sizes" {
  description = "Least and most instances per service."
  type        = map(object({ min = number, max = number }))
}

variable "video_worker_instances" {
  description = "0: media-processor is pushed to. More: it pulls in a worker pool of so many instances, for long videos."
  type        = number
  default     = 0
}

variable "analyzer_backend" {
  description = "gemini (Vertex AI, no key) or local (no model calls)."
  type        = string
  default     = "gemini"
}

variable "embedding_backend" {
  description = "openai (needs a version of the secret openai-api-key) or local (weights inside the image)."
  type        = string
  default     = "local"

  validation {
    condition     = contains(["openai", "local"], var.embedding_backend)
    error_message = "embedding_backend is openai or local."
  }
}

variable "embedding_next_backend" {
  description = "A second model to fill beside the first: openai, local, or empty."
  type        = string
  default     = ""

  validation {
    condition     = contains(["", "openai", "local"], var.embedding_next_backend)
    error_message = "embedding_next_backend is openai, local or empty."
  }
}

variable "daily_budget_usd" {
  description = "What one instance may spend on a paid provider in a day before its stage pauses."
  type        = number
  default     = 20
}

variable "max_file_size" {
  description = "Largest file in bytes."
  type        = number
  default     = 104857600
}

variable "database" {
  description = "Cloud SQL: machine, disk, availability (ZONAL or REGIONAL) and how long backups are kept."
  type = object({
    tier                 = string
    disk_gb              = number
    availability         = string
    backups              = number
    max_connections      = number
    maintenance_work_mem = string
  })
}

variable "deletion_protection" {
  description = "true: neither the database nor a bucket with content can be destroyed by mistake."
  type        = bool
  default     = true
}

# Rendered from contracts/topology.py; see topology.auto.tfvars.json.

variable "topics" {
  description = "Every topic."
  type        = list(string)
}

variable "subscriptions" {
  description = "Every subscription by name: whose, on what, and how its deliveries are tried again."
  type = map(object({
    service                  = string
    topic                    = string
    filter                   = string
    ack_deadline_seconds     = number
    minimum_backoff          = string
    maximum_backoff          = string
    max_delivery_attempts    = number
    dead_letter_topic        = optional(string)
    dead_letter_subscription = optional(string)
    dead_letter_filter       = optional(string)
    concurrency              = number
  }))
}

variable "notifications" {
  description = "Topic to the type of object event it hears of."
  type        = map(string)
}
