"""The port every analysis backend fills: material and a way to fetch its pictures and sound in, an ``Analysis`` out."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from contracts.artifacts import Analysis, ArtifactRef, Material

ArtifactReader = Callable[[ArtifactRef], Awaitable[bytes]]
"""Fetches one artifact's bytes; called for few at a time, so that memory does not grow with their number."""


class Backend(Protocol):
    """Understands one file at a time; several may be asked for at once."""

    @property
    def model_id(self) -> str:
        """The models it uses; a change makes earlier analyses stale."""
        ...

    @property
    def prompt_version(self) -> str:
        """The version of the prompt, or of the algorithm where there is none; a change makes analyses stale."""
        ...

    async def analyze(self, material: Material, read: ArtifactReader) -> Analysis:
        """The whole file, never only its start.

        A step that fails degrades the analysis. Raises ``eventing.errors.HandlerError`` where nothing can be said.
        """
        ...
