"""embedder: an analysed file becomes passages and vectors. Composed here, run by ``python -m embedder.main``."""

from fastapi import FastAPI

from contracts.artifacts import Service
from embedder.handlers import on_media_analyzed, on_upload_reembed, on_upload_reprocess
from embedder.settings import Settings
from embedder.stage import TEXTS_UNDER_WAY
from embeddings.settings import chosen_encoders
from eventing.service import EventService
from hosting.serve import run_service


def build(settings: Settings) -> FastAPI:
    """Settings → resources → handlers → application."""
    service = EventService(Service.EMBEDDER, settings)
    chosen = chosen_encoders(settings, Service.EMBEDDER.value, remembered_texts=TEXTS_UNDER_WAY)
    encoders = [choice.encoder for choice in chosen]
    following = encoders[1] if len(encoders) > 1 else None
    handlers = [
        on_media_analyzed.stage(encoders[0], following),
        on_upload_reprocess.stage(encoders[0], following),
        on_upload_reembed.stage(encoders),
    ]
    return service.application(handlers, resources=[choice.in_use for choice in chosen])


if __name__ == "__main__":
    run_service(Service.EMBEDDER, Settings(), build)  # pyright: ignore[reportCallIssue] - the environment fills it
