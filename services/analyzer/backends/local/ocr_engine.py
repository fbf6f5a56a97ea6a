"""Turns pixels into lines of text by RapidOCR's models, a second look given to what was read with doubt."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from omegaconf import flag_override
from rapidocr import RapidOCR

from analyzer.backends.local.ocr_messages import OcrLine

_MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}
_THREADS = 2
_DETECTION_SIDE = 960
"""Text is searched for at this size and read at full size: 0.24 s for a photo without text, at 1280 px 0.75 s."""

_DOUBTFUL_LINE = 0.85
_MARGIN = 0.1
"""Crops that graze a line's letters are read as gaps; a tenth of its height around it mends most of them."""

_LOST_LINE = 0.65
"""Lines read with less confidence are noise from textures, seldom words."""


class Engine:
    """The loaded models, for pictures of at most ``longest_side`` pixels; used from one thread."""

    def __init__(self, longest_side: int) -> None:
        self._ocr = _loaded(longest_side)

    def lines(self, pixels: NDArray[np.uint8]) -> Iterator[OcrLine]:
        """Every legible line of a picture: ``pixels`` is (height, width, 3), blue first."""
        found = self._ocr(pixels, use_det=True, use_cls=True, use_rec=True)  # the flags stick from call to call
        if not found.txts or getattr(found, "boxes", None) is None:
            return
        for text, score, box in zip(found.txts, found.scores, found.boxes, strict=True):
            better = self._read_again(pixels, box) if score < _DOUBTFUL_LINE else ("", 0.0)
            best_text, best_score = max((text, float(score)), better, key=lambda read: read[1])
            if best_score >= _LOST_LINE:
                a, b, c, d = ((float(x), float(y)) for x, y in box)
                yield OcrLine(text=best_text, score=best_score, corners=(a, b, c, d))

    def _read_again(self, pixels: NDArray[np.uint8], box: Any) -> tuple[str, float]:
        (left, top), (right, bottom) = box.min(axis=0), box.max(axis=0)
        margin = (bottom - top) * _MARGIN
        crop = pixels[
            max(0, int(top - margin)) : int(bottom + margin), max(0, int(left - margin)) : int(right + margin)
        ]
        if crop.size == 0:
            return "", 0.0
        found = self._ocr(np.ascontiguousarray(crop), use_det=False, use_cls=False, use_rec=True)
        return (found.txts[0], float(found.scores[0])) if found.txts else ("", 0.0)


def _loaded(longest_side: int) -> Any:
    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.max_side_len": longest_side,
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
