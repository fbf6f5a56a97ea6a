"""The search request: strict, every limit checked, dates inclusive."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from search.request import SearchRequest


def read(**body):
    return SearchRequest.model_validate_json(json.dumps({"query": "x"} | body))


def test_defaults():
    request = read()
    assert (request.limit, request.offset, request.mode) == (20, 0, "hybrid")
    assert request.filters().kinds is None


def test_whole_days_include_the_last_one():
    filters = read(date_from="2026-03-05", date_to="2026-03-05").filters()
    assert filters.created_from == datetime(2026, 3, 5, tzinfo=UTC)
    assert filters.created_before == datetime(2026, 3, 6, tzinfo=UTC)


def test_times_keep_their_zone():
    filters = read(date_from="2026-03-05T10:00:00+02:00").filters()
    assert filters.created_from == datetime(2026, 3, 5, 8, tzinfo=UTC)


def test_sizes_are_mebibytes():
    filters = read(min_size_mb=0.5, max_size_mb=2).filters()
    assert (filters.min_bytes, filters.max_bytes) == (524_288, 2_097_152)


@pytest.mark.parametrize(
    "body",
    [
        {"query": ""},
        {"query": "   \n"},
        {"query": "x" * 1001},
        {"query": 5},
        {"query": None},
        {"query": ["x"]},
        {"limit": 0},
        {"limit": 101},
        {"limit": "20"},
        {"limit": True},
        {"limit": 1.5},
        {"offset": -1},
        {"offset": 10_001},
        {"mode": "magic"},
        {"file_types": ["spreadsheet"]},
        {"file_types": "image"},
        {"file_types": ["image"] * 5},
        {"date_from": "yesterday"},
        {"date_from": 1_700_000_000},
        {"date_from": "2026-02-30"},
        {"date_from": "2026-03-06", "date_to": "2026-03-05"},
        {"min_size_mb": -1},
        {"min_size_mb": "1"},
        {"max_size_mb": 1e12},
        {"min_size_mb": 2, "max_size_mb": 1},
        {"user_id": "someone-else"},
    ],
)
def test_what_does_not_fit_is_refused(body):
    with pytest.raises(ValidationError):
        read(**body)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999"])
def test_sizes_are_finite(value):
    with pytest.raises(ValidationError):
        SearchRequest.model_validate_json(f'{{"query": "x", "min_size_mb": {value}}}')


def test_the_last_day_of_the_calendar_is_a_date_like_any_other():
    assert read(date_to="9999-12-31").filters().created_before is not None
