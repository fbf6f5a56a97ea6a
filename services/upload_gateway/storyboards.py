"""Finds the small picture of a place in a file, by the list that media-processor left beside the pictures."""

from collections import OrderedDict
from dataclasses import dataclass, field

import structlog

from contracts.artifacts import ArtifactRef, Storyboard
from eventing.errors import Poison
from eventing.inputs import StoreInputs
from objectstore.store import ObjectStore

_log = structlog.get_logger()

_MOST_KEPT = 32
"""Lists of at most 240 pictures (media-processor's ``max_page_pictures`` and ``max_scans``), 0.5 MB each: 16 MB."""


@dataclass(frozen=True)
class Place:
    """A page (from 1) or a second of a file; neither: the file as a whole."""

    page: int | None = None
    start_s: float | None = None


@dataclass(frozen=True)
class Storyboards:
    """The lists read last are kept, which is safe: a new version of a file has a list of another name."""

    objects: ObjectStore
    _kept: OrderedDict[str, Storyboard] = field(default_factory=OrderedDict[str, Storyboard])

    async def picture(self, ref: ArtifactRef, place: Place) -> ArtifactRef | None:
        """The picture of the page, or of the scene that is shown at the second; None if there is none.

        A list that is gone, or not what was announced, is as good as none.
        """
        if place == Place():
            return None
        try:
            return _picture_of(await self._read(ref), place)
        except Poison as error:
            _log.warning("storyboard not read", action="show", reason=str(error)[:200])
            return None

    async def _read(self, ref: ArtifactRef) -> Storyboard:
        if ref.key not in self._kept:
            self._kept[ref.key] = await StoreInputs(self.objects, ref.bucket, "").read_model(ref, Storyboard)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(ref.key)
        return self._kept[ref.key]


def _picture_of(storyboard: Storyboard, place: Place) -> ArtifactRef | None:
    if place.page is not None:
        return next((one.image for one in storyboard.pictures if one.locator.page == place.page), None)
    timed = [(one.locator.start_s, one.image) for one in storyboard.pictures if one.locator.start_s is not None]
    begun = [image for start_s, image in timed if start_s <= (place.start_s or 0.0)]
    # What is heard before the first picture belongs to it.
    return begun[-1] if begun else next((image for _, image in timed), None)
