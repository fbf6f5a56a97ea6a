# What the next command needs.

output "load_balancer_ip" {
  description = "Both host names' A records point here."
  value       = google_compute_global_address.public.address
}

output "registry" {
  description = "Where images are pushed."
  value       = local.image_root
}

output "buckets" {
  description = "Names of the two buckets."
  value       = { for key, bucket in google_storage_bucket.buckets : key => bucket.name }
}

output "github_variables" {
  description = "Repository variables of the deploy workflow."
  value = {
    GCP_PROJECT                    = var.project
    GCP_REGION                     = var.region
    GCP_REGISTRY                   = local.image_root
    GCP_WORKLOAD_IDENTITY_PROVIDER = google_iam_workload_identity_pool_provider.github.name
    GCP_DEPLOYER                   = google_service_account.deployer.email
    GCP_WORKERS                    = join(",", keys(var.worker_instances))
  }
}
