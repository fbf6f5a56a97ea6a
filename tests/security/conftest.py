"""The same real Postgres as for the integration tests."""

from tests.integration.conftest import admin_url, postgres_server, service_database

__all__ = ["admin_url", "postgres_server", "service_database"]
