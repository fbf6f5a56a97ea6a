# The conditions under which somebody is called: the rules of deploy/prometheus/alerts.yaml themselves, over the metrics that
# the collector beside each service gathers. Only what Google knows better than the services is asked of Google.

locals {
  # Native metrics of Google Cloud.
  threshold_alerts = {
    oldest-unacked-message = {
      summary   = "A subscription's oldest message has been waiting for 10 minutes."
      filter    = "resource.type = \"pubsub_subscription\" AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND NOT resource.label.subscription_id = monitoring.regex.full_match(\".*\\\\.dead\")"
      threshold = 600
      duration  = "300s"
      aligner   = "ALIGN_MAX"
      reducer   = "REDUCE_MAX"
      group_by  = ["resource.label.subscription_id"]
    }
    queue-depth = {
      summary   = "More than 1000 messages wait for one subscription."
      filter    = "resource.type = \"pubsub_subscription\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND NOT resource.label.subscription_id = monitoring.regex.full_match(\".*\\\\.dead\")"
      threshold = 1000
      duration  = "300s"
      aligner   = "ALIGN_MAX"
      reducer   = "REDUCE_MAX"
      group_by  = ["resource.label.subscription_id"]
    }
    database-disk = {
      summary   = "The database's disk is nearly full."
      filter    = "resource.type = \"cloudsql_database\" AND metric.type = \"cloudsql.googleapis.com/database/disk/utilization\""
      threshold = 0.85
      duration  = "600s"
      aligner   = "ALIGN_MEAN"
      reducer   = "REDUCE_MAX"
      group_by  = ["resource.label.database_id"]
    }
  }

  rules = flatten([
    for group in yamldecode(file("${path.module}/../deploy/prometheus/alerts.yaml")).groups : group.rules
  ])

  # Not taken over: queues, which are above, and instances that do not answer, which Cloud Run replaces by itself.
  promql_alerts = {
    for rule in local.rules : rule.alert => rule
    if !strcontains(rule.expr, "pubsub_subscription_") && rule.alert != "InstanceDown"
  }
}

resource "google_monitoring_notification_channel" "email" {
  display_name = "mmsearch on call"
  type         = "email"
  labels       = { email_address = var.alert_email }
  depends_on   = [google_project_service.apis]
}

resource "google_monitoring_alert_policy" "thresholds" {
  for_each = local.threshold_alerts

  display_name          = "mmsearch ${each.key}"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.email.id]

  documentation {
    content   = "${each.value.summary} What to do: docs/operations.md"
    mime_type = "text/markdown"
  }

  conditions {
    display_name = each.value.summary

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = each.value.duration

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
        group_by_fields      = each.value.group_by
      }

      trigger {
        count = 1
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }
}

resource "google_monitoring_alert_policy" "promql" {
  for_each = local.promql_alerts

  display_name          = "mmsearch ${each.key}"
  combiner              = "OR"
  severity              = each.value.labels.severity == "page" ? "CRITICAL" : "WARNING"
  notification_channels = [google_monitoring_notification_channel.email.id]

  documentation {
    content   = "What to do: ${each.value.annotations.runbook_url}"
    mime_type = "text/markdown"
  }

  conditions {
    display_name = each.key

    condition_prometheus_query_language {
      query               = trimspace(each.value.expr)
      duration            = "${tonumber(trimsuffix(try(each.value.for, "0m"), "m")) * 60}s"
      evaluation_interval = "60s"
      # The metrics exist once the first instance has been scraped; the policy may come before them.
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }
}

locals {
  # Title → PromQL, two to a row. The Grafana dashboard of one machine (deploy/grafana) shows more.
  charts = [
    { title = "Oldest unacked message", query = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\"})" },
    { title = "Messages waiting", query = "sum by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\"})" },
    { title = "Deliveries by outcome", query = "sum by (subscription, outcome) (rate(event_deliveries_total[5m]))" },
    { title = "Processing p95", query = "histogram_quantile(0.95, sum by (subscription, le) (rate(event_processing_seconds_bucket[5m])))" },
    { title = "Requests by status", query = "sum by (service, status) (rate(http_requests_total[5m]))" },
    { title = "Request p95", query = "histogram_quantile(0.95, sum by (service, le) (rate(http_request_duration_seconds_bucket[5m])))" },
    { title = "Paid today, USD an hour", query = "sum by (provider) (rate(provider_cost_usd_total[1h])) * 3600" },
    { title = "Budget used", query = "max by (provider) (provider_budget_used_ratio)" },
  ]
}

resource "google_monitoring_dashboard" "this" {
  dashboard_json = jsonencode({
    displayName = "mmsearch"
    mosaicLayout = {
      columns = 12
      tiles = [for index, chart in local.charts : {
        xPos   = (index % 2) * 6
        yPos   = floor(index / 2) * 4
        width  = 6
        height = 4
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [{ plotType = "LINE", timeSeriesQuery = { prometheusQuery = chart.query } }]
          }
        }
      }]
    }
  })
  depends_on = [google_project_service.apis]
}
