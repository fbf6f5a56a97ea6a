"""Turns material into an analysis on this machine: OCR, speech, extracted text, extractive summary, keywords, language.

Nothing in a file can change what is done with it: its text is only counted, quoted and indexed.
"""

import asyncio

from analyzer import facts
from analyzer.backends.backend import ArtifactReader
from analyzer.backends.local.keywords import keywords
from analyzer.backends.local.language import LanguageGuesser
from analyzer.backends.local.ocr import OcrProcess
from analyzer.backends.local.pictures import Seen, look_at, unwritten
from analyzer.backends.local.speech.listening import Listened, Listener
from analyzer.backends.local.summary import READ_CHARACTERS, retold
from analyzer.backends.local.vision.viewing import Viewer
from analyzer.redaction import redact
from analyzer.sampling import spread
from contracts.artifacts import Analysis, AnalyzedSegment, Kind, Locator, Material, TextSource
from telemetry import spans


class LocalBackend:
    """Reads pictures through ``ocr``, which the caller owns and closes; hears sound where there is a ``listener`` and
    names what pictures show where there is a ``viewer``.

    ``picture_budget_s`` is how long sound and pictures of one file may take, waiting for other files included.
    """

    prompt_version = "2"

    def __init__(
        self,
        ocr: OcrProcess,
        listener: Listener | None = None,
        viewer: Viewer | None = None,
        *,
        picture_budget_s: float = 420,
    ) -> None:
        self._ocr = ocr
        self._viewer = viewer
        self._listener = listener
        reader = "local-ppocrv6" if ocr.reads_text else "local"
        self.model_id = "-".join([reader, *(model.name for model in (listener, viewer) if model)])
        self._picture_budget_s = picture_budget_s
        self._languages = LanguageGuesser()

    async def analyze(self, material: Material, read: ArtifactReader) -> Analysis:
        """Every text of the material and every text seen in its pictures becomes a segment."""
        clock = asyncio.get_running_loop().time
        started = clock()
        heard = await self._hear(material, read)
        budget_s = self._picture_budget_s - (clock() - started)
        with spans.internal("read pictures", **{"mmsearch.pictures": len(material.pictures)}):
            seen = await look_at(material.pictures, read, self._ocr, budget_s, self._viewer)
        with spans.internal("summarize"):
            return await asyncio.to_thread(self._compose, material, seen, heard)

    async def _hear(self, material: Material, read: ArtifactReader) -> Listened:
        if self._listener is None or not material.speech:
            return Listened()
        with spans.internal("listen", **{"mmsearch.sounds": len(material.speech)}):
            return await self._listener.listen(material.speech, read)

    def _compose(self, material: Material, seen: Seen, heard: Listened) -> Analysis:
        found = [AnalyzedSegment(text=t.text, locator=t.locator, source=t.source) for t in material.texts]
        read = unwritten(seen.segments, material.texts)
        found = sorted([s for s in found if s.text.strip()] + heard.segments + read, key=_place)
        texts = spread([segment.text for segment in found], READ_CHARACTERS)
        colours = seen.colours if material.kind is Kind.IMAGE else ()
        own = facts.metadata_text(material)
        about = [AnalyzedSegment(text=own, locator=Locator(), source=TextSource.METADATA)] if own else []
        labels = (material.kind.value, *seen.concepts, *keywords(texts), *colours)
        return Analysis(
            title=redact(facts.title_of(material)),
            summary=redact(" ".join(retold(material, texts, colours, seen.concepts))),
            labels=tuple(dict.fromkeys(redact(label) for label in labels)),
            language=material.properties.language or heard.language or self._languages.guess("\n".join(texts)),
            segments=(*about, *found),
            model_id=self.model_id,
            prompt_version=self.prompt_version,
            degradations=(*heard.degradations, *seen.degradations),
        )


def _place(segment: AnalyzedSegment) -> tuple[int, float]:
    return (segment.locator.page or 0, segment.locator.start_s or 0.0)
