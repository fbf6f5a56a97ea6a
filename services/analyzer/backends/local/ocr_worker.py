"""The OCR child: pictures come in on stdin, the text and colours seen in them go out on stdout.

It lives as long as its stdin is open, has no secrets in its environment, and bounds its own memory.
"""

import contextlib
import io
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from analyzer.backends.local.colours import dominant_colours
from analyzer.backends.local.ocr_messages import ONLY_COLOURS, OcrAnswer, OcrLine, read_frame, write_frame

_LONGEST_SIDE = 2000
_MAX_PIXELS = 40_000_000
_MEMORY_LIMIT = 4 * 1024**3
_Lines = Callable[[NDArray[np.uint8]], Iterable[OcrLine]]


def main() -> None:
    """Answers one frame with one frame until stdin ends."""
    _limit_memory()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints stays out of the answers
    pictures: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, pictures), daemon=True).start()
    lines_in: _Lines = _nothing if ONLY_COLOURS in sys.argv else _reader()
    while True:
        write_frame(answers, _look(lines_in, pictures.get()).model_dump_json().encode())


def _reader() -> _Lines:
    # 300 MB that looking at colours does without.
    from analyzer.backends.local.ocr_engine import Engine  # noqa: PLC0415

    return Engine(_LONGEST_SIDE).lines


def _nothing(_pixels: NDArray[np.uint8]) -> Iterable[OcrLine]:
    return ()


def _listen(stream: BinaryIO, pictures: "queue.SimpleQueue[bytes]") -> None:
    # A parent that dies takes its end of the pipe with it: end at once, whatever is being read.
    while (frame := read_frame(stream)) is not None:
        pictures.put(frame)
    os._exit(0)


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not there on every system

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT, _MEMORY_LIMIT))


def _look(lines_in: _Lines, picture: bytes) -> OcrAnswer:
    Image.MAX_IMAGE_PIXELS = None  # our own limit refuses before decoding
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            if opened.width * opened.height > _MAX_PIXELS:
                return OcrAnswer(error=f"the picture has {opened.width}x{opened.height} pixels")
            opened.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
            image = opened.convert("RGB")
        image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        pixels = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
        return OcrAnswer(lines=tuple(lines_in(pixels)), colours=dominant_colours(image))
    except Exception as error:
        return OcrAnswer(error=f"{type(error).__name__}: {error}"[:400])


if __name__ == "__main__":
    main()
