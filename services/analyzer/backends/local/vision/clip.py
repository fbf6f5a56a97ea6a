"""Turns a picture into the concepts it shows, by an image-text model exported to ONNX, read from a local directory.

The directory is laid out as the usual exports of CLIP-class models are: ``vision_model.onnx`` and ``text_model.onnx``
(there or below ``onnx/``), ``tokenizer.json`` and ``preprocessor_config.json``.
"""

from collections.abc import Sequence
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from analyzer.backends.local.exported_model import ModelInvalid, digest, session, tokenizer, weights
from analyzer.backends.local.vision.viewing import PictureUnviewable

_PROMPT = "a photo of a {}"
_SHARPNESS = 100.0
"""By which these models are trained to multiply similarities."""

_SURE = 0.12
_MOST_CONCEPTS = 3
_MOST_PIXELS = 50_000_000


class _Preparation(BaseModel):
    """How the model was shown its pictures; the defaults are CLIP's."""

    model_config = ConfigDict(extra="ignore")

    image_mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    image_std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)
    size: dict[str, int] | int = 224

    @property
    def side(self) -> int:
        return self.size if isinstance(self.size, int) else next(iter(self.size.values()), 224)


def known_concepts() -> tuple[str, ...]:
    """What pictures are searched for: about two hundred things, places and kinds of picture."""
    return tuple((files("analyzer.backends.local.vision") / "concepts.txt").read_text("utf-8").splitlines())


class ClipModel:
    """Loaded at once, the concepts encoded (about 2 s); used from one thread. ``name`` changes with the weights."""

    def __init__(self, directory: Path, *, concepts: Sequence[str] = ()) -> None:
        vision, text = weights(directory, "vision_model"), weights(directory, "text_model")
        self.name = f"clip@{digest(vision, text)}"
        self._preparation = _preparation(directory)
        self._session = session(vision)
        self._concepts = tuple(concepts) or known_concepts()
        words, reader = tokenizer(directory), session(text)
        asked = {given.name for given in reader.get_inputs()}
        rows: list[NDArray[np.float32]] = []
        for concept in self._concepts:
            ids = np.array([words.encode(_PROMPT.format(concept)).ids], np.int64)
            fed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            rows.append(_direction(reader.run(["text_embeds"], {k: v for k, v in fed.items() if k in asked})[0]))
        self._directions = np.stack(rows)

    def view(self, picture: bytes) -> tuple[str, ...]:
        """At most three concepts, the surest first; none where nothing is sure.

        Raises :class:`PictureUnviewable`.
        """
        embedded = self._session.run(["image_embeds"], {"pixel_values": self._prepared(picture)})[0]
        scores = _SHARPNESS * (self._directions @ _direction(embedded))
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        order = np.argsort(-shares)[:_MOST_CONCEPTS]
        return tuple(self._concepts[i] for i in order if shares[i] >= _SURE)

    def _prepared(self, picture: bytes) -> NDArray[np.float32]:
        side = self._preparation.side
        try:
            with Image.open(BytesIO(picture)) as image:
                if image.width * image.height > _MOST_PIXELS:
                    raise PictureUnviewable(f"a picture of {image.width} by {image.height} pixels is not viewed")
                image.draft("RGB", (side, side))
                # The whole picture, not its middle: what is searched for may stand at the edge.
                small = image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise PictureUnviewable(f"the picture cannot be decoded: {type(error).__name__}") from error
        pixels = np.asarray(small, np.float32) / 255
        scaled = (pixels - np.array(self._preparation.image_mean)) / np.array(self._preparation.image_std)
        return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None], np.float32)


def _direction(embedded: Any) -> NDArray[np.float32]:
    row = cast(NDArray[np.float32], np.asarray(embedded, np.float32).reshape(-1))
    length = float(np.linalg.norm(row))
    return row / length if length else row


def _preparation(directory: Path) -> _Preparation:
    try:
        return _Preparation.model_validate_json((directory / "preprocessor_config.json").read_bytes())
    except FileNotFoundError:
        return _Preparation()
    except ValidationError as error:
        raise ModelInvalid(f"preprocessor_config.json of {directory} cannot be read") from error
