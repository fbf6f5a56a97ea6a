"""media-processor: a finished object becomes facts, thumbnail and material. Run: ``python -m media_processor.main``."""

from fastapi import FastAPI

from contracts.artifacts import Service
from eventing.service import EventService
from hosting.serve import run_service
from media_processor.handlers import on_object_finalized, on_upload_deleted, on_upload_reprocess
from media_processor.handlers.on_object_finalized import ProcessObject
from media_processor.sandbox import Sandbox
from media_processor.settings import Settings


def build(settings: Settings) -> FastAPI:
    """Settings → resources → handlers → application."""
    service = EventService(Service.MEDIA_PROCESSOR, settings)
    sandbox = Sandbox()
    process = ProcessObject(sandbox, settings.max_file_size)
    handlers = [
        on_object_finalized.stage(process),
        on_upload_reprocess.stage(process),
        on_upload_deleted.stage(),
    ]
    return service.application(handlers, resources=[sandbox])


if __name__ == "__main__":
    run_service(Service.MEDIA_PROCESSOR, Settings(), build)  # pyright: ignore[reportCallIssue] - the environment fills it
