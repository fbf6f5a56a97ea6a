"""Generation and metageneration conditions of a request: reads them from query parameters or XML headers
and decides, against the object that is there, between going on, 304 and 412."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from localcloud.storage.errors import StorageError, invalid, precondition_failed

_JSON = {
    "generation_match": "ifGenerationMatch",
    "generation_not_match": "ifGenerationNotMatch",
    "metageneration_match": "ifMetagenerationMatch",
    "metageneration_not_match": "ifMetagenerationNotMatch",
}
_SOURCE = {field: name.replace("if", "ifSource", 1) for field, name in _JSON.items()}
_XML = {
    "generation_match": "x-goog-if-generation-match",
    "metageneration_match": "x-goog-if-metageneration-match",
}


def whole_number(text: str | None, name: str) -> int | None:
    """A query parameter as a non-negative number; None when absent, 400 when it is anything else."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        raise invalid(f"Invalid value for {name}: '{text}'")
    return int(text)


@dataclass(frozen=True)
class Preconditions:
    """What must hold for the object's generation and metageneration; generation 0 stands for no live object."""

    generation_match: int | None = None
    generation_not_match: int | None = None
    metageneration_match: int | None = None
    metageneration_not_match: int | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Preconditions":
        """Of ``ifGenerationMatch`` and its kin."""
        return cls(**{field: whole_number(query.get(name), name) for field, name in _JSON.items()})

    @classmethod
    def of_source(cls, query: Mapping[str, str]) -> "Preconditions":
        """Of ``ifSourceGenerationMatch`` and its kin (copy, rewrite, move)."""
        return cls(**{field: whole_number(query.get(name), name) for field, name in _SOURCE.items()})

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "Preconditions":
        """Of the XML API's ``x-goog-if-*`` headers."""
        return cls(**{field: whole_number(headers.get(name), name) for field, name in _XML.items()})

    def check(self, generation: int | None, metageneration: int | None, *, reading: bool = False) -> None:
        """Raise 412 (304 for a not-match condition of a read) unless all hold; None means no such object."""
        current = {"generation": generation or 0, "metageneration": metageneration or 0}
        for field, wanted in asdict(self).items():
            if wanted is None:
                continue
            held = current[field.split("_")[0]] == wanted
            if field.endswith("_not_match") and held:
                raise StorageError(304, "notModified", "") if reading else precondition_failed(_JSON[field])
            if not field.endswith("_not_match") and not held:
                raise precondition_failed(_JSON[field])
