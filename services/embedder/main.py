"""embedder: an analysed file becomes passages and vectors. Composed here, run by ``python -m embedder.main``."""

from fastapi import FastAPI

from contracts.artifacts import Service
from embedder.handlers import on_media_analyzed, on_upload_reprocess
from embedder.settings import Settings
from embeddings.settings import chosen_encoder
from eventing.service import EventService
from hosting.serve import run_service


def build(settings: Settings) -> FastAPI:
    """Settings → resources → handlers → application."""
    service = EventService(Service.EMBEDDER, settings)
    encoder, encoder_in_use = chosen_encoder(settings)
    handlers = [on_media_analyzed.stage(encoder), on_upload_reprocess.stage(encoder)]
    return service.application(handlers, resources=[encoder_in_use])


if __name__ == "__main__":
    run_service(Service.EMBEDDER, Settings(), build)  # pyright: ignore[reportCallIssue] - the environment fills it
