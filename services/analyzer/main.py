"""analyzer: what media-processor found becomes an analysis. Composed here, run by ``python -m analyzer.main``."""

from fastapi import FastAPI

from analyzer.backends.choice import chosen_backend, notices
from analyzer.handlers import on_media_processed, on_upload_reprocess
from analyzer.settings import Settings
from contracts.artifacts import Service
from eventing.service import EventService
from hosting.serve import run_service


def build(settings: Settings) -> FastAPI:
    """Settings → resources → handlers → application."""
    service = EventService(Service.ANALYZER, settings)
    backend, backend_in_use = chosen_backend(settings)
    handlers = [on_media_processed.stage(backend), on_upload_reprocess.stage(backend)]
    return service.application(handlers, resources=[backend_in_use], notices=notices(settings))


if __name__ == "__main__":
    run_service(Service.ANALYZER, Settings(), build)  # pyright: ignore[reportCallIssue] - the environment fills it
