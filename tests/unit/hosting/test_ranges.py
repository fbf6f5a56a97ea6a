"""Sizes and dates of filters: what is just inside a range and what is just outside."""

from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from hosting.ranges import MEBIBYTE, Ranges


def test_sizes_between_two_bytes_take_no_file_that_is_outside() -> None:
    ranges = Ranges(min_size_mb=0.3, max_size_mb=0.7)
    assert ranges.min_bytes is not None
    assert ranges.max_bytes is not None
    assert ranges.min_bytes - 1 < 0.3 * MEBIBYTE <= ranges.min_bytes
    assert ranges.max_bytes <= 0.7 * MEBIBYTE < ranges.max_bytes + 1


def test_one_size_is_a_range_even_where_no_file_can_have_it() -> None:
    assert Ranges(min_size_mb=0.3, max_size_mb=0.3).min_bytes == 314_573
    with pytest.raises(ValidationError, match="min_size_mb is greater"):
        Ranges(min_size_mb=0.31, max_size_mb=0.3)


@pytest.mark.parametrize("name", ["date_from", "date_to"])
@pytest.mark.parametrize("given", ["2026", "1700000000", "-5.5", " 17 ", ".5"])
def test_a_number_is_no_date(name: str, given: str) -> None:
    with pytest.raises(ValidationError, match="a date is written 2026-11-21"):
        Ranges.model_validate({name: given})


@pytest.mark.parametrize("strict", [True, False])
def test_days_and_times_are_told_apart(strict: bool) -> None:
    body = b'{"date_from": "2026-11-21", "date_to": "2026-11-21T10:00:00+02:00"}'
    ranges = Ranges.model_validate_json(body, strict=strict)
    assert ranges.created_from == datetime(2026, 11, 21, tzinfo=UTC)
    assert ranges.created_before == datetime(2026, 11, 21, 8, 0, 0, 1, tzinfo=UTC)


def test_a_day_counts_to_its_end() -> None:
    day = date(2026, 11, 22)
    ranges = Ranges(date_from=day, date_to=day)
    assert ranges.created_from == datetime(2026, 11, 22, tzinfo=UTC)
    assert ranges.created_before == datetime(2026, 11, 23, tzinfo=UTC)
    with pytest.raises(ValidationError, match="date_from lies after"):
        Ranges(date_from=day, date_to=date(2026, 11, 21))
