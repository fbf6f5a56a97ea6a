# Images, and who may push them: GitHub's tagged workflows, by workload identity, without a key.

locals {
  image_root = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}"
}

resource "google_artifact_registry_repository" "images" {
  repository_id = "mmsearch"
  location      = var.region
  format        = "DOCKER"
  description   = "Images of the five services."
  depends_on    = [google_project_service.apis]

  docker_config {
    immutable_tags = true
  }

  cleanup_policies {
    id     = "keep-the-last-releases"
    action = "KEEP"
    most_recent_versions {
      keep_count = 20
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "7776000s"
    }
  }
}

resource "google_iam_workload_identity_pool" "github" {
  workload_identity_pool_id = "github"
  display_name              = "GitHub Actions"
  depends_on                = [google_project_service.apis]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  display_name                       = "GitHub Actions of ${var.github_repository}"

  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
    "attribute.ref_type"   = "assertion.ref_type"
  }

  # Without this condition every workflow of every repository in the world would be let in. Only tags deploy.
  attribute_condition = "assertion.repository == \"${var.github_repository}\" && assertion.ref_type == \"tag\""

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "deployer" {
  account_id   = "mmsearch-deployer"
  display_name = "mmsearch releases from GitHub"
  depends_on   = [google_project_service.apis]
}

resource "google_service_account_iam_member" "github_is_deployer" {
  service_account_id = google_service_account.deployer.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}/attribute.repository/${var.github_repository}"
}

resource "google_artifact_registry_repository_iam_member" "deployer" {
  repository = google_artifact_registry_repository.images.name
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.deployer.member
}

# Switches images and traffic, runs the migration jobs, and reads the logs that tell whether a release is well.
resource "google_project_iam_member" "deployer" {
  for_each = toset(["roles/run.developer", "roles/logging.viewer"])

  project = var.project
  role    = each.value
  member  = google_service_account.deployer.member
}

# A new revision runs as the service's account; whoever makes the revision must be allowed to act as it.
resource "google_service_account_iam_member" "deployer_acts_as" {
  for_each = merge(google_service_account.services, { migrations = google_service_account.migrations })

  service_account_id = each.value.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.deployer.member
}
