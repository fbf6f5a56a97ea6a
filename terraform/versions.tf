# What runs this: Terraform with write-only arguments and ephemeral values, so that no password ever reaches the state.
terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.20, < 8.0"
    }
    random = {
      source  = "hashicorp/random"
      version = ">= 3.7, < 4.0"
    }
  }

  # The bucket is given at init: terraform init -backend-config=bucket=PROJECT-terraform
  backend "gcs" {
    prefix = "mmsearch"
  }
}

provider "google" {
  project = var.project
  region  = var.region
  default_labels = {
    app         = "mmsearch"
    environment = var.environment
  }
}

data "google_project" "this" {}

resource "google_project_service" "apis" {
  for_each = toset([
    "aiplatform.googleapis.com",
    "artifactregistry.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "redis.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "servicenetworking.googleapis.com",
    "sqladmin.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
    "telemetry.googleapis.com",
  ])

  service            = each.value
  disable_on_destroy = false
}
