"""upload-gateway: files in, status out, the page. Composed here, run by ``python -m upload_gateway.main``."""

from fastapi import FastAPI

from contracts.artifacts import Service
from database.engine import Database
from eventing.service import EventService
from hosting.serve import run_service
from upload_gateway.handlers import PROJECTIONS
from upload_gateway.identity import LocalLogin, TableAuthenticator
from upload_gateway.resources import Resources
from upload_gateway.routes import API
from upload_gateway.routes.page import page_router
from upload_gateway.settings import Settings
from upload_gateway.tables import SCHEMA, ledger


def build(settings: Settings) -> FastAPI:
    """Settings → resources → handlers and routes → application."""
    service = EventService(Service.UPLOAD_GATEWAY, settings)
    database = Database(settings.database_url, SCHEMA)
    relay = service.keeps_books(database, ledger)
    secret = settings.local_issuer_secret
    local = LocalLogin(settings.local_user_id, secret) if secret else None
    authenticator = TableAuthenticator(database, local)
    app = service.application(PROJECTIONS, routers=[*API, page_router(settings.storage_origin)])
    app.state.authenticator = authenticator
    app.state.resources = Resources(
        database, service.store, authenticator, settings.uploads_bucket, settings.max_file_size, relay.wake, local
    )
    return app


if __name__ == "__main__":
    run_service(Service.UPLOAD_GATEWAY, Settings(), build)  # pyright: ignore[reportCallIssue] - the environment fills it
