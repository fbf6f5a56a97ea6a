"""Words written in parts, as one: numbers, codes, hyphens; not what stands beside each other by chance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.catenation import catenated


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Send an e-mail, or an E\u2011Mail.", ["email"]),
        ("state-of-the-art data-base", ["stateoftheart", "database"]),
        ("Node.js, TCP/IP and my_function_name", ["nodejs", "tcpip", "myfunctionname"]),
        ("O'Brien, D\u2019Angelo, l'eau, don't", ["obrien", "dangelo"]),
        ("RE-2024-0815 and v2.3.1", ["re20240815", "v231"]),
        ("1,000,000 or 1.000.000,50 or 12'345.67", ["1000000", "1000000 50", "12345 67"]),
        ("12,500.00, 12500.00 and 1,250,000.50", ["12500 00", "1250000 50"]),
        ("1 000 000 \u20ac", ["1000000"]),
        ("DE89 3704 0044 0532 0130 00", ["de89370400440532013000"]),
        ("+49 (0)30 1234-5678 or (555) 867-5309", ["12345678", "8675309", "4903012345678", "5558675309"]),
        ("ISBN 978-3-16-148410-0", ["9783161484100"]),
        ("2026-11-22", ["20261122"]),
        ("No infor-\n  mation on the Mercedes-\nBenz", ["information"]),
        ("00:1A:2B:3C:4D:5E", ["001a2b3c4d5e"]),
    ],
)
def test_what_is_written_in_parts_is_one_word(text, found):
    assert catenated(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "3.14 or 2,5 at 12:30 on pages 12-15",
        "in 2024, 15 people",
        "The end. And then",
        "日本-語",
        "1 2 3 4 5 6 7 8 9 10 11 12",
        "- - -",
        "well known",
    ],
)
def test_words_and_numbers_of_their_own_stay_apart(text):
    assert catenated(text) == []


@given(st.text(st.sampled_from("aB1\u00e9-_./, '()\u4eac"), max_size=60))
def test_joined_words_are_parts_of_the_text_without_what_parts_them(text):
    bare = "".join(char for char in text.lower() if char.isalnum()).replace("\u00e9", "e")
    assert all(word in bare for word in catenated(text))
