"""Turns sound into the picture a Whisper-class model hears: log-mel energies of 30 s at 100 frames a second."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
SECONDS = 30
_WINDOW = 400
_HOP = 160
_LINEAR_TO_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27
_MELS_AT_1000_HZ = 15.0
_DYNAMIC = 8.0

Samples = NDArray[np.float32]
"""Mono, 16 kHz, -1 to 1."""


def log_mel(samples: Samples, bands: int) -> NDArray[np.float32]:
    """Shape ``(bands, 3000)``; shorter sound is followed by silence, of longer sound only the first 30 s count."""
    wanted = SAMPLE_RATE * SECONDS
    padded = np.pad(samples[:wanted], (0, max(0, wanted - len(samples))))
    centred = np.pad(padded, _WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(centred, _WINDOW)[::_HOP][:-1]
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    energies = np.log10(np.maximum(_filters(bands) @ power.T, 1e-10))
    energies = np.maximum(energies, energies.max() - _DYNAMIC)
    return ((energies + 4) / 4).astype(np.float32)


@lru_cache(maxsize=4)
def _filters(bands: int) -> NDArray[np.float64]:
    """Triangles, evenly spaced in mel and of equal area; shape ``(bands, 201)``."""
    frequencies = np.linspace(0, SAMPLE_RATE / 2, _WINDOW // 2 + 1)
    edges = _hz(np.linspace(0, _mel(SAMPLE_RATE / 2), bands + 2))
    widths = np.diff(edges)
    slopes = edges[:, None] - frequencies[None, :]
    rising = -slopes[:-2] / widths[:-1, None]
    falling = slopes[2:] / widths[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return triangles * (2 / (edges[2:] - edges[:-2]))[:, None]


def _mel(hz: float) -> float:
    if hz < _LINEAR_TO_HZ:
        return hz * _MELS_AT_1000_HZ / _LINEAR_TO_HZ
    return _MELS_AT_1000_HZ + float(np.log(hz / _LINEAR_TO_HZ)) / _LOG_STEP


def _hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mels * _LINEAR_TO_HZ / _MELS_AT_1000_HZ
    curved = _LINEAR_TO_HZ * np.exp(_LOG_STEP * (mels - _MELS_AT_1000_HZ))
    return np.where(mels < _MELS_AT_1000_HZ, linear, curved)
