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
  description = "Whose tokens are believed: an OpenID Connect issuer with the page's client id, or a Firebase project, which may be asked once a minute for each user whether their tokens were revoked."
  type = object({
    oidc_issuer            = optional(string)
    oidc_client_id         = optional(string)
    firebase_project       = optional(string)
    firebase_check_revoked = optional(bool, false)
  })

  validation {
    condition     = (var.sign_in.oidc_issuer == null) != (var.sign_in.firebase_project == null)
    error_message = "Name either an issuer or a Firebase project."
  }

  validation {
    condition     = !var.sign_in.firebase_check_revoked || var.sign_in.firebase_project != null
    error_message = "firebase_check_revoked needs a Firebase project."
  }
}

variable "sizes" {
  description = "Least and most instances per service."
  type        = map(object({ min = number, max = number }))
}

variable "worker_instances" {
  description = "Stages that pull in a worker pool, and how many instances do; the others are pushed to. A stage that pays a provider must pull: a push that waits for tomorrow's budget uses up the message's deliveries."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for stage, instances in var.worker_instances : contains(["media-processor", "analyzer", "embedder"], stage) && instances >= 1])
    error_message = "Only media-processor, analyzer and embedder can pull, each with one instance or more."
  }

  validation {
    condition     = var.analyzer_backend != "gemini" || contains(keys(var.worker_instances), "analyzer")
    error_message = "With analyzer_backend = \"gemini\" the analyzer must pull: give it an entry in worker_instances."
  }

  validation {
    condition     = !contains([var.embedding_backend, var.embedding_next_backend], "openai") || contains(keys(var.worker_instances), "embedder")
    error_message = "With an embedding backend of openai the embedder must pull: give it an entry in worker_instances."
  }
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
  description = "What a service may spend on a paid provider in a day, all its instances together, before its stage pauses."
  type        = number
  default     = 20
}

variable "gemini_requests_per_minute" {
  description = "Calls of all analyzers together in a minute."
  type        = number
  default     = 240
}

variable "max_file_size" {
  description = "Largest file in bytes."
  type        = number
  default     = 104857600
}

variable "database" {
  description = "Cloud SQL: machine (db-custom-CPUS-MEGABYTES), disk, availability (ZONAL or REGIONAL), how long backups are kept, and the memory in kB in which an index is built."
  type = object({
    tier                 = string
    disk_gb              = number
    availability         = string
    backups              = number
    max_connections      = number
    maintenance_work_mem = string
  })

  validation {
    condition     = can(regex("^db-custom-[0-9]+-[0-9]+$", var.database.tier))
    error_message = "database.tier names its memory: db-custom-CPUS-MEGABYTES. A quarter of that becomes shared_buffers."
  }
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
