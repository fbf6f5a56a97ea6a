"""An OCR child that does what the picture's bytes tell it to: speaks the pipe's language without any model."""

import os
import sys
import time
from pathlib import Path

from analyzer.backends.local.ocr_messages import OcrAnswer, OcrLine, read_frame, write_frame

BOX = ((0, 0), (9, 0), (9, 9), (0, 9))


def _obey(picture: bytes) -> bytes:
    order, _, argument = picture.decode().partition(":")
    match order:
        case "crash":
            os._exit(3)
        case "crash once":
            marker = Path(argument)
            if not marker.exists():
                marker.touch()
                os._exit(3)
        case "hang":
            time.sleep(60)
        case "nonsense":
            return b"not JSON"
        case "refuse":
            return OcrAnswer(error="cannot read this").model_dump_json().encode()
        case "environment":
            argument = " ".join(sorted(os.environ))
    text = f"{os.getpid()} {argument}"
    return OcrAnswer(lines=(OcrLine(text=text, score=1, corners=BOX),)).model_dump_json().encode()


while (frame := read_frame(sys.stdin.buffer)) is not None:
    write_frame(sys.stdout.buffer, _obey(frame))
