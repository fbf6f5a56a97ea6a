"""search: indexes what the stages found and answers searches. Run by ``python -m search.main``."""

from fastapi import FastAPI

from contracts.artifacts import Service
from database.engine import Database
from embeddings.settings import chosen_encoders
from eventing.service import EventService
from hosting.serve import run_service
from identity.public_edge import guard
from search.authenticator import ProjectedAuthenticator
from search.handlers import projections
from search.models import Models
from search.routes import routers
from search.settings import Settings
from search.tables import BINARY_TYPES, LEDGER, SCHEMA


def build(settings: Settings) -> FastAPI:
    """Settings → resources → handlers and routes → application."""
    service = EventService(Service.SEARCH, settings)
    database = Database(settings.database_url, SCHEMA, pool_size=settings.database_pool_size, binary_types=BINARY_TYPES)
    service.use_database(database, LEDGER)
    chosen = chosen_encoders(settings, Service.SEARCH.value)
    models = Models.configured(chosen)
    app = service.application(
        projections(models.current.model_id),
        routers=routers(database, models, settings.encoder_timeout_s),
        resources=[choice.in_use for choice in chosen],
        docs_path="search/docs",
    )
    guard(app, settings, ProjectedAuthenticator.configured(database, settings))
    return app


if __name__ == "__main__":
    run_service(Service.SEARCH, Settings(), build)  # pyright: ignore[reportCallIssue] - the environment fills it
