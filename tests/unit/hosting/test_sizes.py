"""Sizes in refusals are short, and never say that a file is too large by being as large as is allowed."""

import pytest

from hosting.sizes import in_mebibytes, told_apart

LIMIT = 100 * 1024 * 1024


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (LIMIT, "100 MiB"),
        (2_000_000, "1.9 MiB"),
        (1_500, "1,500 bytes"),
        (LIMIT * 1024, "102400 MiB"),
    ],
)
def test_a_size_is_said_in_mebibytes(size_bytes: int, shown: str) -> None:
    assert in_mebibytes(size_bytes) == shown


@pytest.mark.parametrize(
    ("size_bytes", "limit", "shown"),
    [
        (105_000_005, LIMIT, ("100.1 MiB", "100 MiB")),
        (LIMIT + 1, LIMIT, ("104,857,601 bytes", "104,857,600 bytes")),
        (2_000_001, 2_000_000, ("2,000,001 bytes", "2,000,000 bytes")),
    ],
)
def test_two_sizes_differ_in_words_too(size_bytes: int, limit: int, shown: tuple[str, str]) -> None:
    assert told_apart(size_bytes, limit) == shown
