"""Turns a picture into the names of the colours that fill most of it."""

import colorsys

from PIL import Image

_GRID = (48, 48)
_SHARE = 0.18
_MOST = 3

_HUES = (
    (15, "red"),
    (45, "orange"),
    (70, "yellow"),
    (165, "green"),
    (195, "turquoise"),
    (255, "blue"),
    (290, "purple"),
    (345, "pink"),
    (360, "red"),
)


def dominant_colours(image: Image.Image) -> tuple[str, ...]:
    """At most three names, the most widespread first; each covers at least 18 % of the picture."""
    small = image.convert("RGB").resize(_GRID, Image.Resampling.BOX)
    pixels = small.tobytes()
    counts: dict[str, int] = {}
    for at in range(0, len(pixels), 3):
        name = colour_name(pixels[at], pixels[at + 1], pixels[at + 2])
        counts[name] = counts.get(name, 0) + 1
    least = _SHARE * _GRID[0] * _GRID[1]
    common = sorted((name for name in counts if counts[name] >= least), key=lambda name: -counts[name])
    return tuple(common[:_MOST])


def colour_name(red: int, green: int, blue: int) -> str:
    """The everyday name of a colour (each part 0 to 255)."""
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    if value < 0.2:
        return "black"
    if saturation < 0.16:
        return "white" if value > 0.85 else "grey"
    name = next(name for limit, name in _HUES if hue * 360 <= limit)
    return "brown" if name in {"orange", "red"} and value < 0.6 and hue * 360 > 10 else name
