"""Turns text into an ISO 639-1 language code, or None where it is too short or too mixed to tell."""

import threading

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from analyzer.sampling import spread

_FEWEST_LETTERS = 25
_SURE = 0.75
_READ = 20_000


class LanguageGuesser:
    """Loads its model (0.7 s, 75 MB) at the first text; may be used from several threads."""

    def __init__(self) -> None:
        self._identifier: LanguageIdentifier | None = None
        self._loading = threading.Lock()

    def guess(self, text: str) -> str | None:
        """Two letters, or None."""
        sample = "\n".join(spread([text], _READ))
        if sum(c.isalpha() * (1 if c.isascii() else 2) for c in sample) < _FEWEST_LETTERS:
            return None
        code, _ = self._loaded().classify(sample)
        return str(code) if len(code) == 2 else None  # "und", and dialects that short texts are mistaken for

    def _loaded(self) -> LanguageIdentifier:
        with self._loading:
            if self._identifier is None:
                self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True, min_confidence=_SURE)
            return self._identifier
