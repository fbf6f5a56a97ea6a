"""The closed schema of what the model may answer, and the way from its text to such an answer.

What is missing, of another type, in no schema or about pictures nobody asked for is refused as a whole. What is only
too long, too much or no number of seconds is cut to what it may be: the rest of the answer is no worse for it.
"""

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from providers.errors import ProviderAnswerInvalid

_FENCE = re.compile(r"^```[A-Za-z]*\s*\n(.*)\n\s*```$", re.DOTALL)
_KEPT = frozenset(
    {
        "type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "$defs", "$ref",
        "maxItems", "minimum",
    }
)  # fmt: skip
"""The JSON Schema keywords the provider understands; other limits are told in the prompts."""

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What moves a cursor, changes a colour or turns text round, and is no part of any language."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_LONGEST_LANGUAGE = 35
_MOST_LABELS = 30
_MOST_UTTERANCES = 2000
_LATEST_S = 1e9

Category = Literal["sexual", "sexual_minors", "violence", "hate", "harassment", "self_harm", "crime"]


def _up_to(most: int) -> AfterValidator:
    return AfterValidator(lambda text: _CONTROL.sub(" ", _ESCAPE.sub("", text.strip()))[:most].strip())


def _language(tag: str | None) -> str | None:
    return tag if tag and len(tag) <= _LONGEST_LANGUAGE and _LANGUAGE.fullmatch(tag) else None


def _labels(said: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(label for label in said if label)[:_MOST_LABELS]


def _seconds(said: float) -> float:
    return 0.0 if math.isnan(said) else min(max(said, 0.0), _LATEST_S)


_Line = Annotated[str, _up_to(500)]
_Label = Annotated[str, _up_to(80)]
_Prose = Annotated[str, _up_to(4000)]
_Words = Annotated[str, _up_to(50_000)]
_Seconds = Annotated[float, AfterValidator(_seconds), Field(json_schema_extra={"minimum": 0})]


class Closed(BaseModel):
    """An answer of exactly these fields and types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PictureAnswer(Closed):
    """What is visible in one picture and what is written in it."""

    id: str = Field(max_length=16)
    description: _Prose
    text: _Words


class ModerationAnswer(Closed):
    """The model's verdict."""

    flagged: bool
    categories: tuple[Category, ...] = Field(max_length=20)


class PicturesAnswer(Closed):
    """The answer about some pictures of a file."""

    pictures: tuple[PictureAnswer, ...] = Field(max_length=200)
    moderation: ModerationAnswer


class FileAnswer(PicturesAnswer):
    """The answer about a file as a whole."""

    title: _Line
    summary: Annotated[_Prose, StringConstraints(min_length=1)]
    labels: Annotated[tuple[_Label, ...], AfterValidator(_labels)] = Field(json_schema_extra={"maxItems": _MOST_LABELS})
    language: Annotated[str | None, AfterValidator(_language)]


class UtteranceAnswer(Closed):
    """Something said, in seconds of the recording that was sent."""

    start_s: _Seconds
    end_s: _Seconds
    text: _Words


class SpeechAnswer(Closed):
    """Everything said in one recording, in order."""

    utterances: Annotated[tuple[UtteranceAnswer, ...], AfterValidator(lambda said: said[:_MOST_UTTERANCES])] = Field(
        json_schema_extra={"maxItems": _MOST_UTTERANCES}
    )


AnswerT = TypeVar("AnswerT", bound=Closed)


def parsed(text: str, schema: type[AnswerT], picture_ids: Sequence[str]) -> AnswerT:
    """The answer in ``text``, which may stand in a code fence. Raises ``ProviderAnswerInvalid``, saying where."""
    fenced = _FENCE.match(text.strip())
    try:
        answer = schema.model_validate_json(fenced.group(1) if fenced else text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))[:100]
        raise ProviderAnswerInvalid(f"the answer does not fit: {first['type']} at {place or 'its start'}") from None
    told = [picture.id for picture in answer.pictures] if isinstance(answer, PicturesAnswer) else []
    if len(set(told)) != len(told) or not set(told) <= set(picture_ids):
        raise ProviderAnswerInvalid("the answer is about pictures nobody asked for")
    return answer


def wire_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema to send along."""
    return _plain(schema.model_json_schema())


def _plain(node: Any) -> Any:
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: _plain(value) for name, value in inner.items()} if key in ("properties", "$defs") else _plain(inner)
        for key, inner in node.items()
        if key in _KEPT
    }
