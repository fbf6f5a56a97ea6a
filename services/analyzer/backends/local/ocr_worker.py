"""The OCR child: pictures come in on stdin, the text and colours seen in them go out on stdout.

It lives as long as its stdin is open, has no secrets in its environment, and bounds its own memory.
"""

import contextlib
import io
import os
import queue
import sys
import threading
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, BinaryIO

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from omegaconf import flag_override
from PIL import Image
from rapidocr import RapidOCR

from analyzer.backends.local.colours import dominant_colours
from analyzer.backends.local.ocr_messages import OcrAnswer, OcrLine, read_frame, write_frame

_MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}
_THREADS = 2
_MAX_PIXELS = 40_000_000
_LONGEST_SIDE = 2000
_DETECTION_SIDE = 960
"""Text is searched for at this size and read at full size: 0.24 s for a photo without text, at 1280 px 0.75 s."""

_MEMORY_LIMIT = 4 * 1024**3
_DOUBTFUL_LINE = 0.85
_MARGIN = 0.1
"""Crops that graze a line's letters are read as gaps; a tenth of its height around it mends most of them."""

_LOST_LINE = 0.65
"""Lines read with less confidence are noise from textures, seldom words."""


def main() -> None:
    """Answers one frame with one frame until stdin ends."""
    _limit_memory()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints stays out of the answers
    pictures: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, pictures), daemon=True).start()
    engine = _engine()
    while True:
        write_frame(answers, _look(engine, pictures.get()).model_dump_json().encode())


def _listen(stream: BinaryIO, pictures: "queue.SimpleQueue[bytes]") -> None:
    # A parent that dies takes its end of the pipe with it: end at once, whatever is being read.
    while (frame := read_frame(stream)) is not None:
        pictures.put(frame)
    os._exit(0)


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not there on every system

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT, _MEMORY_LIMIT))


def _engine() -> Any:
    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.max_side_len": _LONGEST_SIDE,
            "Det.limit_side_len": _DETECTION_SIDE,
            "Det.limit_type": "max",
            "Rec.rec_batch_num": 1,  # 6 is no faster on a CPU and takes 200 MB more
        }
    )
    for section, model in _MODELS.items():
        with flag_override(engine.cfg[section], "allow_objects", True):
            engine.cfg[section].session = _session(model)
    return engine


def _session(model: str) -> onnxruntime.InferenceSession:
    """Given explicitly, the engine never goes looking for other models."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    # With spinning threads a page takes 12 s instead of 4 where the other services keep both cores busy.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    path = str(files("rapidocr") / "models" / model)
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _look(engine: Any, picture: bytes) -> OcrAnswer:
    Image.MAX_IMAGE_PIXELS = None  # our own limit refuses before decoding
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            if opened.width * opened.height > _MAX_PIXELS:
                return OcrAnswer(error=f"the picture has {opened.width}x{opened.height} pixels")
            opened.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
            image = opened.convert("RGB")
        image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        pixels = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
        return OcrAnswer(lines=tuple(_lines(engine, pixels)), colours=dominant_colours(image))
    except Exception as error:
        return OcrAnswer(error=f"{type(error).__name__}: {error}"[:400])


def _lines(engine: Any, pixels: NDArray[np.uint8]) -> Iterator[OcrLine]:
    found = engine(pixels, use_det=True, use_cls=True, use_rec=True)  # the flags stick from call to call
    if not found.txts or getattr(found, "boxes", None) is None:
        return
    for text, score, box in zip(found.txts, found.scores, found.boxes, strict=True):
        better = _read_again(engine, pixels, box) if score < _DOUBTFUL_LINE else ("", 0.0)
        best_text, best_score = max((text, float(score)), better, key=lambda read: read[1])
        if best_score >= _LOST_LINE:
            a, b, c, d = ((float(x), float(y)) for x, y in box)
            yield OcrLine(text=best_text, score=best_score, corners=(a, b, c, d))


def _read_again(engine: Any, pixels: NDArray[np.uint8], box: Any) -> tuple[str, float]:
    (left, top), (right, bottom) = box.min(axis=0), box.max(axis=0)
    margin = (bottom - top) * _MARGIN
    crop = pixels[max(0, int(top - margin)) : int(bottom + margin), max(0, int(left - margin)) : int(right + margin)]
    if crop.size == 0:
        return "", 0.0
    found = engine(np.ascontiguousarray(crop), use_det=False, use_cls=False, use_rec=True)
    return (found.txts[0], float(found.scores[0])) if found.txts else ("", 0.0)


if __name__ == "__main__":
    main()
