"""Turns texts of any length into a bounded sample that is spread evenly over the whole of them."""

import re
from collections.abc import Iterable

_BLOCK = 4000
_PARTS_OF_WORDS = re.compile(r"^\S{1,40}\s|\s\S{1,40}$")


def spread(texts: Iterable[str], limit: int) -> list[str]:
    """The texts themselves while they have at most ``limit`` characters; beyond that every n-th stretch of them."""
    whole = list(texts)
    length = sum(map(len, whole))
    if length <= limit:
        return whole
    blocks = [_PARTS_OF_WORDS.sub("", text[i : i + _BLOCK]) for text in whole for i in range(0, len(text), _BLOCK)]
    wanted = max(1, limit * len(blocks) // length)
    return [blocks[i * len(blocks) // wanted] for i in range(wanted)]
