# terraform test: the whole configuration planned with the values of an environment, without a project and without
# network. It catches what validate cannot see: tables that do not fit together, for_each over the unknown, missing keys.

provider "google" {
  project      = "mmsearch-test"
  region       = "europe-west1"
  access_token = "none-is-needed-for-a-plan"
}

override_data {
  target = data.google_project.this
  values = {
    number = "123456789012"
  }
}

override_data {
  target = data.google_storage_project_service_account.this
  values = {
    member = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
  }
}

variables {
  project           = "mmsearch-test"
  environment       = "dev"
  domain            = "mmsearch.example.com"
  thumbnail_domain  = "thumbnails.mmsearch.example.com"
  release           = "v1.2.3"
  github_repository = "example/mmsearch"
  alert_email       = "oncall@example.com"

  sign_in = {
    firebase_project = "mmsearch-test"
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
    max_connections      = 100
    maintenance_work_mem = "524288"
  }
}

run "everything_is_pushed" {
  command = plan

  variables {
    analyzer_backend = "local"
  }

  assert {
    condition     = length(google_pubsub_subscription.subscriptions) == length(var.subscriptions)
    error_message = "a subscription of the contracts is missing"
  }
  assert {
    condition     = alltrue([for s in google_pubsub_subscription.subscriptions : length(s.push_config) == 1])
    error_message = "every subscription is pushed"
  }
  assert {
    condition     = local.database_flags.shared_buffers == "122880"
    error_message = "shared_buffers are a quarter of the memory, in pages of 8 kB"
  }
  assert {
    condition     = length(google_cloud_run_v2_worker_pool.pulling) == 0
    error_message = "no worker pool was asked for"
  }
  assert {
    condition     = keys(google_pubsub_subscription.dead_letters) == [for n, s in var.subscriptions : n if s.dead_letter_topic != null]
    error_message = "every subscription but the dead letters' own keeps its dead letters"
  }
}

run "long_videos_and_paid_stages_are_pulled" {
  command = plan

  variables {
    embedding_backend = "openai"
    worker_instances  = { media-processor = 2, analyzer = 3, embedder = 1 }
  }

  assert {
    condition     = tomap({ for stage, pool in google_cloud_run_v2_worker_pool.pulling : stage => pool.scaling[0].manual_instance_count }) == tomap({ media-processor = 2, analyzer = 3, embedder = 1 })
    error_message = "each worker pool has its instances"
  }
  assert {
    condition     = alltrue([for n, s in google_pubsub_subscription.subscriptions : length(s.push_config) == (contains(["media-processor", "analyzer", "embedder"], split(".", n)[0]) ? 0 : 1)])
    error_message = "the subscriptions of stages that pull are pulled, all others pushed"
  }
}

run "a_paid_analyzer_must_pull" {
  command = plan

  expect_failures = [var.worker_instances]
}

run "a_paid_embedder_must_pull" {
  command = plan

  variables {
    analyzer_backend       = "local"
    embedding_next_backend = "openai"
  }

  expect_failures = [var.worker_instances]
}

run "a_paid_encoder_gets_its_key" {
  command = plan

  variables {
    embedding_backend = "openai"
    worker_instances  = { analyzer = 1, embedder = 1 }
  }

  assert {
    condition     = contains(keys(google_secret_manager_secret_iam_member.services), "search openai-api-key")
    error_message = "search may read the key"
  }
}

run "an_origin_is_exact" {
  command = plan

  variables {
    analyzer_backend = "local"
    web_origins      = ["https://*.example.com"]
  }

  expect_failures = [var.web_origins]
}

run "somebody_signs_people_in" {
  command = plan

  variables {
    analyzer_backend = "local"
    sign_in          = {}
  }

  expect_failures = [var.sign_in]
}
