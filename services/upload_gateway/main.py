"""upload-gateway: files in, status out, the page. Composed here, run by ``python -m upload_gateway.main``."""

from fastapi import FastAPI

from contracts.artifacts import Service
from database.engine import Database
from eventing.service import EventService
from hosting.serve import run_service
from identity.public_edge import guard
from upload_gateway.handlers import projections
from upload_gateway.identity import TableAuthenticator
from upload_gateway.jobs import jobs
from upload_gateway.live import LiveUploads
from upload_gateway.periodic import periodically
from upload_gateway.resources import Resources
from upload_gateway.routes import API
from upload_gateway.routes.page import page_router
from upload_gateway.settings import Settings
from upload_gateway.tables import SCHEMA, ledger


def build(settings: Settings) -> FastAPI:
    """Settings → resources → handlers and routes → application."""
    service = EventService(Service.UPLOAD_GATEWAY, settings, signing_key=settings.signing_key_file)
    database = Database(settings.database_url, SCHEMA, pool_size=settings.database_pool_size)
    relay = service.use_database(database, ledger)
    authenticator = TableAuthenticator.configured(database, settings, relay.wake)
    live = LiveUploads(settings.database_url, database, authenticator.forget_user)
    page = page_router(settings.storage_origin, settings.sign_in_origins, settings.picture_origins)
    resources = Resources.configured(settings, database, service.store, authenticator, relay.wake)
    running = [live, periodically(database, jobs(resources))]
    app = service.application(projections(), routers=[*API, page], resources=running)
    guard(app, settings, authenticator)
    app.state.live = live
    app.state.resources = resources
    return app


if __name__ == "__main__":
    run_service(Service.UPLOAD_GATEWAY, Settings(), build)  # pyright: ignore[reportCallIssue] - the environment fills it
