"""The filter language: examples from the service's documentation, refusals, and laws found by generated expressions."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud.pubsub.errors import InvalidArgumentError
from localcloud.pubsub.filters import FilterSyntaxError, compile_filter

ATTRIBUTES = {"domain": "com", "my-key": "x", "ce-type": "media.processed.v1", "with space": "1", "empty": ""}


@pytest.mark.parametrize(
    ("expression", "accepted"),
    [
        ("", True),
        ("   ", True),
        ("attributes:domain", True),
        ("attributes:absent", False),
        ("NOT attributes:absent", True),
        ("-attributes:domain", False),
        ("- attributes:domain", False),
        ('attributes.domain = "com"', True),
        ('attributes.domain="com"', True),
        ('attributes.domain = "COM"', False),
        ('attributes.domain != "com"', False),
        ('attributes.absent != "com"', True),
        ('attributes.absent = ""', False),
        ('attributes.empty = ""', True),
        ('attributes.my-key = "x"', True),
        ('attributes."ce-type" = "media.processed.v1"', True),
        ('attributes:"with space"', True),
        ('hasPrefix(attributes.domain, "co")', True),
        ('hasPrefix( attributes."ce-type" , "media.")', True),
        ('hasPrefix(attributes.absent, "")', False),
        ('NOT hasPrefix(attributes.domain, "org")', True),
        ('attributes.domain = "com" AND attributes:my-key', True),
        ('attributes.domain = "org" OR attributes:my-key', True),
        ('attributes.domain = "org" OR attributes:absent OR attributes:empty', True),
        ('(attributes.domain = "org" OR attributes:my-key) AND NOT attributes:absent', True),
        ("NOT (attributes:domain AND attributes:my-key)", False),
        (r'attributes.domain = "\x63o\155"', True),
        ('attributes.domain = "\\u0063om"', True),
        ("\n attributes:domain\tAND\nattributes:empty ", True),
    ],
)
def test_expression_accepts(expression: str, accepted: bool) -> None:
    assert compile_filter(expression)(ATTRIBUTES) is accepted


@pytest.mark.parametrize(
    "expression",
    [
        "domain",
        "attributes",
        "attributes:",
        "attributes.domain",
        "attributes.domain = com",
        "attributes.domain = 'com'",
        'attributes.domain == "com"',
        'attributes.domain > "com"',
        'attributes.domain = "com',
        'attributes.with.dot = "x"',
        'data = "x"',
        "attributes:a AND",
        "AND attributes:a",
        "attributes:a and attributes:b",
        "attributes:a attributes:b",
        "attributes:a AND attributes:b OR attributes:c",
        "attributes:a OR attributes:b AND attributes:c",
        "(attributes:a",
        "attributes:a)",
        "()",
        "NOT",
        'hasSuffix(attributes.a, "x")',
        'hasPrefix(attributes:a, "x")',
        "hasPrefix(attributes.a)",
        "attributes:AND",
        'attributes.a = "\\q"',
        'attributes.a = "\\UFFFFFFFF"',
        'attributes.a = "x" !',
        'attributes.a = "' + "x" * 250 + '"',
        'attributes.a = "' + "é" * 125 + '"',
    ],
)
def test_refuses(expression: str) -> None:
    with pytest.raises(FilterSyntaxError):
        compile_filter(expression)


def test_longest_filter_is_counted_in_bytes() -> None:
    room = 256 - len('attributes.a = ""')
    assert compile_filter(f'attributes.a = "{"x" * room}"')({"a": "x" * room})
    with pytest.raises(InvalidArgumentError, match="256"):
        compile_filter(f'attributes.a = "{"x" * (room + 1)}"')


# A busy machine must not fail a test that measures nothing.
untimed = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])

KEYS = ["a", "b", "c d"]
keys = st.sampled_from(KEYS)
values = st.sampled_from(["", "x", "xy", 'q"\\'])
attributes = st.dictionaries(keys, values)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


leaves = st.one_of(
    st.builds(lambda k: (f"attributes:{quoted(k)}", lambda a: k in a), keys),
    st.builds(lambda k, v: (f"attributes.{quoted(k)} = {quoted(v)}", lambda a: a.get(k) == v), keys, values),
    st.builds(lambda k, v: (f"attributes.{quoted(k)}!={quoted(v)}", lambda a: a.get(k) != v), keys, values),
    st.builds(
        lambda k, v: (
            f"hasPrefix(attributes.{quoted(k)},{quoted(v)})",
            lambda a: k in a and a[k].startswith(v),
        ),
        keys,
        values,
    ),
)
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda e: (f"NOT ({e[0]})", lambda a: not e[1](a))),
        st.tuples(inner, inner).map(
            lambda pair: (f"({pair[0][0]} AND {pair[1][0]})", lambda a: pair[0][1](a) and pair[1][1](a))
        ),
        st.tuples(inner, inner).map(
            lambda pair: (f"({pair[0][0]} OR {pair[1][0]})", lambda a: pair[0][1](a) or pair[1][1](a))
        ),
    ),
    max_leaves=4,
).filter(lambda e: len(e[0].encode()) <= 256)


@untimed
@given(expressions, attributes)
def test_generated_expressions_mean_what_they_say(expression, message_attributes) -> None:
    text, meaning = expression
    assert compile_filter(text)(message_attributes) is meaning(message_attributes)


@untimed
@given(st.text(max_size=40))
def test_any_text_compiles_or_is_refused_clearly(text: str) -> None:
    with contextlib.suppress(FilterSyntaxError):
        assert compile_filter(text)({}) in {True, False}
