"""The same real Postgres as for the integration tests."""

from tests.integration.conftest import admin_url, postgres_server, service_database, templates

__all__ = ["admin_url", "postgres_server", "service_database", "templates"]
