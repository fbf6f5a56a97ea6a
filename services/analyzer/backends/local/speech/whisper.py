"""Turns up to 30 s of sound into words by a Whisper-class model exported to ONNX, read from a local directory.

The directory is laid out as the usual exports are: ``encoder_model.onnx`` and ``decoder_model.onnx`` (there or below
``onnx/``), ``tokenizer.json``, and if present ``generation_config.json``.
"""

import json
import re
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from analyzer.backends.local.exported_model import ModelInvalid, digest, session, tokenizer, weights
from analyzer.backends.local.speech.listening import Heard
from analyzer.backends.local.speech.mel import Samples, log_mel

_LANGUAGE = re.compile(r"<\|([a-z]{2,3})\|>")
_END, _START, _WRITE, _PLAIN = "<|endoftext|>", "<|startoftranscript|>", "<|transcribe|>", "<|notimestamps|>"
_SILENCE = ("<|nospeech|>", "<|nocaptions|>")
_SURELY_SILENT = 0.6
_MOST_TOKENS = 224
_LOOP = 4


class WhisperModel:
    """Loaded at once; used from one thread. ``name`` changes with the weights."""

    def __init__(self, directory: Path) -> None:
        encoder, decoder = weights(directory, "encoder_model"), weights(directory, "decoder_model")
        self.name = f"whisper@{digest(encoder, decoder)}"
        self._tokenizer = tokenizer(directory)
        self._ids = self._tokenizer.get_vocab(with_added_tokens=True)
        self._end, self._start = self._id(_END), self._id(_START)
        settings = _settings(directory)
        self._never = list(cast(list[int], settings.get("suppress_tokens") or []))
        self._never_first = [*self._never, *cast(list[int], settings.get("begin_suppress_tokens") or [])]
        multilingual = settings.get("is_multilingual", True)
        self._languages = {self._ids[t]: t[2:-2] for t in self._ids if _LANGUAGE.fullmatch(t)} if multilingual else {}
        self._encoder, self._decoder = session(encoder), session(decoder)
        bands = self._encoder.get_inputs()[0].shape[1]
        self._bands = bands if isinstance(bands, int) else 80

    def transcribe(self, samples: Samples) -> Heard:
        """The words in at most 30 s of sound."""
        features = log_mel(samples, self._bands)[None]
        hidden = cast(Any, self._encoder.run(None, {"input_features": features})[0])
        logits = self._logits([self._start], hidden)
        if self._is_silent(logits):
            return Heard("", None)
        prompt, language = [self._start], None
        if self._languages:
            best = max(self._languages, key=lambda token: float(logits[token]))
            prompt, language = [self._start, best, self._id(_WRITE)], self._languages[best]
        words = self._written([*prompt, self._id(_PLAIN)], hidden)
        text = " ".join(self._tokenizer.decode(words, skip_special_tokens=True).split())
        return Heard(text, language if text else None)

    def _written(self, prompt: list[int], hidden: Any) -> list[int]:
        words: list[int] = []
        while len(words) < _MOST_TOKENS:
            logits = self._logits(prompt + words, hidden)
            logits[self._never if words else self._never_first] = -np.inf
            logits[self._end + 1 :] = -np.inf  # languages, tasks and times are no words
            chosen = int(logits.argmax())
            if chosen == self._end:
                break
            words.append(chosen)
            looped = _looped(words)
            if looped:
                return words[: len(words) - looped]
        return words

    def _logits(self, tokens: list[int], hidden: Any) -> NDArray[np.float32]:
        fed = {"input_ids": np.array([tokens], np.int64), "encoder_hidden_states": hidden}
        return cast(Any, self._decoder.run(None, fed)[0])[0, -1].astype(np.float32)

    def _is_silent(self, logits: NDArray[np.float32]) -> bool:
        silence = next((self._ids[token] for token in _SILENCE if token in self._ids), None)
        if silence is None:
            return False
        shares = np.exp(logits - logits.max())
        return bool(shares[silence] / shares.sum() > _SURELY_SILENT)

    def _id(self, token: str) -> int:
        if token not in self._ids:
            raise ModelInvalid(f"tokenizer.json does not know {token}")
        return self._ids[token]


def _looped(words: list[int]) -> int:
    """Words at the end that only repeat what stands before them: the model has lost the thread."""
    for size in range(1, 1 + len(words) // _LOOP):
        tail = words[-size:]
        if words[-size * _LOOP :] == tail * _LOOP:
            return size * (_LOOP - 1)
    return 0


def _settings(directory: Path) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], json.loads((directory / "generation_config.json").read_text("utf-8")))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ModelInvalid(f"generation_config.json of {directory} is not JSON") from error
