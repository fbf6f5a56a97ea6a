"""The HTTP routes of search."""

from fastapi import APIRouter

from database.engine import Database
from search.comparison import Comparing
from search.finder import Finder
from search.models import Models
from search.reembedding import Reembedding
from search.routes.feedback import feedback_router
from search.routes.file_text import file_text_router
from search.routes.history import history_router
from search.routes.image import image_router
from search.routes.insights import insights_router
from search.routes.models import models_router
from search.routes.searching import search_router


def routers(database: Database, models: Models, encoder_timeout_s: float) -> list[APIRouter]:
    """Returns every router of this service, over one database and the models it can encode queries for."""
    finder = Finder(database, models, encoder_timeout_s=encoder_timeout_s)
    comparing = Comparing(database, models, encoder_timeout_s=encoder_timeout_s)
    return [
        search_router(finder),
        image_router(finder),
        file_text_router(database),
        models_router(database, Reembedding(database, models), comparing),
        history_router(database),
        insights_router(database),
        feedback_router(database),
    ]
