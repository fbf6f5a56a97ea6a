"""Turns encoded sound, as media-processor leaves it, into samples."""

from io import BytesIO

import av
import numpy as np
from av.error import FFmpegError

from analyzer.backends.local.speech.listening import SoundUnreadable
from analyzer.backends.local.speech.mel import SAMPLE_RATE, Samples


def decoded(encoded: bytes) -> Samples:
    """Mono, 16 kHz; ten minutes are 38 MB. Raises :class:`SoundUnreadable`."""
    try:
        with av.open(BytesIO(encoded), mode="r") as container:
            resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
            pieces = [
                out.to_ndarray()[0]
                for frame in (*container.decode(audio=0), None)  # None: what the resampler still holds
                for out in resampler.resample(frame)
            ]
    except (FFmpegError, IndexError, ValueError) as error:
        raise SoundUnreadable(f"the sound cannot be decoded: {type(error).__name__}") from error
    return np.concatenate(pieces) if pieces else np.empty(0, np.float32)
