"""search: what the stages found becomes an index, and queries become files. Run by ``python -m search.main``."""

from fastapi import FastAPI

from contracts.artifacts import Service
from database.engine import Database
from embeddings.settings import chosen_encoder
from eventing.service import EventService
from hosting.serve import run_service
from search.authenticator import ProjectedAuthenticator
from search.cut_offs import cut_off_for
from search.finder import Finder
from search.handlers import projections
from search.routes.history import history_router
from search.routes.searching import search_router
from search.settings import Settings
from search.tables import LEDGER, SCHEMA


def build(settings: Settings) -> FastAPI:
    """Settings → resources → handlers and routes → application."""
    service = EventService(Service.SEARCH, settings)
    database = Database(settings.database_url, SCHEMA, pool_size=settings.database_pool_size)
    service.keeps_books(database, LEDGER)
    encoder, encoder_in_use = chosen_encoder(settings)
    cut_off = cut_off_for(encoder.model_id)
    finder = Finder(database, encoder, cut_off=cut_off, encoder_timeout_s=settings.encoder_timeout_s)
    routers = [search_router(finder), history_router(database)]
    app = service.application(projections(), routers=routers, resources=[encoder_in_use], docs_path="search/docs")
    app.state.authenticator = ProjectedAuthenticator(database, local_issuer_secret=settings.local_issuer_secret)
    return app


if __name__ == "__main__":
    run_service(Service.SEARCH, Settings(), build)  # pyright: ignore[reportCallIssue] - the environment fills it
