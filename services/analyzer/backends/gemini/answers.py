"""The closed schema of what the model may answer, and the way from its text to such an answer.

What is not in the schema, too long, of another type or about pictures nobody asked for is refused as a whole.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from providers.errors import ProviderAnswerInvalid

_FENCE = re.compile(r"^```[A-Za-z]*\s*\n(.*)\n\s*```$", re.DOTALL)
_KEPT = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "$defs", "$ref", "maxItems"}
)
"""The JSON Schema keywords the provider understands; the others are checked here alone."""

Category = Literal["sexual", "sexual_minors", "violence", "hate", "harassment", "self_harm", "crime"]
_Label = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class Closed(BaseModel):
    """An answer of exactly these fields and types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PictureAnswer(Closed):
    """What is visible in one picture and what is written in it."""

    id: str = Field(max_length=16)
    description: str = Field(max_length=4000)
    text: str = Field(max_length=50_000)


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

    title: str = Field(min_length=1, max_length=500)
    summary: str = Field(min_length=1, max_length=4000)
    labels: tuple[_Label, ...] = Field(max_length=30)
    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35)] | None


class UtteranceAnswer(Closed):
    """Something said, in seconds of the recording that was sent."""

    start_s: float = Field(ge=0, allow_inf_nan=False)
    end_s: float = Field(ge=0, allow_inf_nan=False)
    text: str = Field(max_length=5000)


class SpeechAnswer(Closed):
    """Everything said in one recording, in order."""

    utterances: tuple[UtteranceAnswer, ...] = Field(max_length=2000)


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
