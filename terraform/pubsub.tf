# Topics, subscriptions and dead letters as contracts/topology.py declares them (topology.auto.tfvars.json).

locals {
  # A subscription is either pushed or pulled.
  pulled_subscriptions = {
    for name, subscription in var.subscriptions : name => subscription
    if contains(keys(var.worker_instances), subscription.service)
  }

  subscriptions_with_dead_letters = {
    for name, subscription in var.subscriptions : name => subscription if subscription.dead_letter_topic != null
  }

  pubsub_agent  = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  storage_agent = data.google_storage_project_service_account.this.member
}

data "google_storage_project_service_account" "this" {
  depends_on = [google_project_service.apis]
}

resource "google_pubsub_topic" "topics" {
  for_each = toset(var.topics)

  name                       = each.value
  message_retention_duration = "604800s"
  depends_on                 = [google_project_service.apis]
}

resource "google_pubsub_subscription" "subscriptions" {
  for_each = var.subscriptions

  name                       = each.key
  topic                      = google_pubsub_topic.topics[each.value.topic].id
  filter                     = each.value.filter
  ack_deadline_seconds       = each.value.ack_deadline_seconds
  message_retention_duration = "604800s"

  # Never: the default forgets a subscription that was idle for 31 days, and its messages with it.
  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = each.value.minimum_backoff
    maximum_backoff = each.value.maximum_backoff
  }

  dynamic "dead_letter_policy" {
    for_each = each.value.dead_letter_topic == null ? [] : [each.value]
    content {
      dead_letter_topic     = google_pubsub_topic.topics[dead_letter_policy.value.dead_letter_topic].id
      max_delivery_attempts = dead_letter_policy.value.max_delivery_attempts
    }
  }

  dynamic "push_config" {
    for_each = contains(keys(local.pulled_subscriptions), each.key) ? [] : [each.value.service]
    content {
      push_endpoint = "${google_cloud_run_v2_service.services[push_config.value].uri}/events/${each.key}"
      oidc_token {
        service_account_email = google_service_account.push.email
        audience              = local.audiences[push_config.value]
      }
    }
  }
}

# Dead letters are kept here until somebody has looked at them; nothing consumes them.
resource "google_pubsub_subscription" "dead_letters" {
  for_each = local.subscriptions_with_dead_letters

  name                       = each.value.dead_letter_subscription
  topic                      = google_pubsub_topic.topics[each.value.dead_letter_topic].id
  filter                     = each.value.dead_letter_filter
  ack_deadline_seconds       = 60
  message_retention_duration = "2678400s"

  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub itself moves a message to the dead letters: it must be allowed to take it here and to put it there.
resource "google_pubsub_topic_iam_member" "dead_letters_arrive" {
  for_each = toset([for subscription in local.subscriptions_with_dead_letters : subscription.dead_letter_topic])

  topic  = google_pubsub_topic.topics[each.value].name
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letters_leave" {
  for_each = local.subscriptions_with_dead_letters

  subscription = google_pubsub_subscription.subscriptions[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
