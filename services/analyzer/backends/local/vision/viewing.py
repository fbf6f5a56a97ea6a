"""Turns pictures into concepts one at a time, off the event loop."""

import asyncio
from typing import Protocol


class PictureUnviewable(Exception):
    """This picture cannot be looked at; the next one may well be."""


class VisionModel(Protocol):
    """Names what a picture shows; called by one thread at a time."""

    name: str

    def view(self, picture: bytes) -> tuple[str, ...]:
        """Concepts, the surest first. Raises :class:`PictureUnviewable`."""
        ...


class Viewer:
    """Views one picture at a time, whoever asks. Belongs to one event loop."""

    def __init__(self, model: VisionModel) -> None:
        self._model = model
        self._turn = asyncio.Lock()

    @property
    def name(self) -> str:
        """The model's."""
        return self._model.name

    async def view(self, picture: bytes) -> tuple[str, ...]:
        """Concepts, the surest first. Raises :class:`PictureUnviewable`."""
        async with self._turn:
            return await asyncio.to_thread(self._model.view, picture)
