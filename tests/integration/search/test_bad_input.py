"""Whatever is sent, the answer is 422 or an empty one, never a 500."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.request import SearchRequest, Sort

SEARCH = "/api/v1/search"
JSON = {"Content-Type": "application/json"}

REFUSED = {
    "no body": b"",
    "not JSON": b"{query: harbour}",
    "not an object": b'["harbour"]',
    "no query": b"{}",
    "empty query": b'{"query": ""}',
    "blank query": b'{"query": " \\n\\t "}',
    "query of 10,000 words": json.dumps({"query": "word " * 10_000}).encode(),
    "query too long": json.dumps({"query": "x" * 1001}).encode(),
    "number as query": b'{"query": 7}',
    "null query": b'{"query": null}',
    "list as query": b'{"query": ["a"]}',
    "lone surrogate": b'{"query": "\\ud800"}',
    "lone surrogate as a field": b'{"query": "x", "\\ud800": 1}',
    "broken UTF-8": b'{"query": "\xff\xfe"}',
    "deep nesting": b'{"query": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "string limit": b'{"query": "x", "limit": "ten"}',
    "huge limit": b'{"query": "x", "limit": 1000}',
    "huge number": b'{"query": "x", "limit": ' + b"9" * 400 + b"}",
    "negative offset": b'{"query": "x", "offset": -1}',
    "unknown mode": b'{"query": "x", "mode": "psychic"}',
    "unknown type": b'{"query": "x", "file_types": ["hologram"]}',
    "not a date": b'{"query": "x", "date_from": "tomorrow"}',
    "dates the wrong way round": b'{"query": "x", "date_from": "2026-02-01", "date_to": "2026-01-01"}',
    "sizes the wrong way round": b'{"query": "x", "min_size_mb": 3, "max_size_mb": 2}',
    "infinite size": b'{"query": "x", "min_size_mb": Infinity}',
    "unknown field": b'{"query": "x", "user_id": "bob"}',
}

ODD_QUERIES = [
    "!!! ??? ...",
    "-",
    '"',
    '"""',
    '"unclosed phrase',
    "-harbour",
    "the of and",
    "a\x00b",
    "\x1b[31m\x07\x7f",
    "\u202eevil\u202c",
    "'; DROP TABLE files; --",
    "' OR 1=1 --",
    "harbour') UNION SELECT sha256 FROM api_keys --",
    "harbour & | ! <-> :* () ''",
    "\\' \\\" \\",
    "%s %(x)s :user_id {0} $1",
    "$$harbour$$",
    "<script>alert(1)</script>",
    "👩‍👩‍👧 🏳️‍🌈",
    "ﷺ ﷽",
    "Z̸̡͍a̷l̵g̷o̶" * 20,
    "word " * 199,
    "1 2 3 4 5 6 7 8 9",
    "0x1f 1e999 -1.5e-3 ½ ²",
    "猫" * 900,
    "a" * 1000,
    "../../etc/passwd",
    "http://user:pw@host:80/path?q=1#f",
]


async def test_malformed_requests_are_refused_with_the_reason(client):
    for case, body in REFUSED.items():
        answer = await client.post(SEARCH, content=body, headers=JSON)
        assert answer.status_code == 422, (case, answer.text)
        error = answer.json()["error"]
        assert error["code"] == "invalid_request", case
        assert error["details"]["fields"], case


async def test_a_huge_body_is_refused_without_reading_it_all(client):
    sent = 0

    async def endless():
        nonlocal sent
        for _ in range(10_000):
            sent += 1
            yield b'{"query": "' + b"x" * 10_000

    answer = await client.post(SEARCH, content=endless(), headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_size"


async def test_odd_queries_are_only_queries(world, client):
    await world.add("ada", "a.txt", "The harbour froze in January.")
    for mode in ("hybrid", "semantic", "keyword"):
        for query in ODD_QUERIES:
            answer = await client.post(SEARCH, json={"query": query, "mode": mode})
            assert answer.status_code == 200, (query, answer.text)
        answer = await client.post(SEARCH, json={"query": "harbour", "mode": mode})
        assert answer.json()["data"]["total"] == 1


async def test_extreme_but_valid_filters_find_nothing(world, client):
    await world.add("ada", "a.txt", "harbour")
    for filters in (
        {"date_from": "9999-12-31"},
        {"date_to": "0001-01-01"},
        {"date_from": "0001-01-01T00:00:00+14:00", "date_to": "0001-01-02"},
        {"date_from": "9999-12-31T23:59:59-12:00"},
        {"min_size_mb": 1_000_000},
        {"offset": 10_000, "limit": 100},
    ):
        answer = await client.post(SEARCH, json={"query": "harbour", **filters})
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]["results"] == []


async def test_history_parameters_are_checked(client):
    for parameters in ({"limit": "0"}, {"limit": "x"}, {"limit": "101"}, {"offset": "-1"}, {"offset": "9" * 30}):
        assert (await client.get(f"{SEARCH}/history", params=parameters)).status_code == 422, parameters


async def test_other_methods_and_paths_answer_in_the_envelope(client):
    assert (await client.get(SEARCH)).json()["error"]["code"] == "method_not_allowed"
    assert (await client.get(f"{SEARCH}/nothing")).json()["error"]["code"] == "not_found"
    assert (await client.delete(f"{SEARCH}/history/not-an-id")).status_code == 422


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)
FIELDS = st.sampled_from(sorted(SearchRequest.model_fields))
PLAUSIBLE = st.fixed_dictionaries(
    {"query": st.text(min_size=1, max_size=200)},
    optional={
        "mode": st.sampled_from(["hybrid", "semantic", "keyword"]),
        "file_types": st.lists(st.sampled_from(["image", "video", "audio", "document"]), max_size=4),
        "date_from": st.dates().map(str) | st.datetimes().map(lambda d: d.isoformat()),
        "date_to": st.dates().map(str) | st.datetimes().map(lambda d: d.isoformat()),
        "min_size_mb": st.floats(0, 1e6),
        "max_size_mb": st.floats(0, 1e6),
        "languages": st.lists(st.from_regex(r"[A-Za-z]{2,3}", fullmatch=True), max_size=3),
        "has_text": st.booleans(),
        "status": st.sampled_from(["complete", "processing", "failed"]),
        "sort": st.sampled_from([sort.value for sort in Sort]),
        "include_flagged": st.booleans(),
        "limit": st.integers(1, 100),
        "offset": st.integers(0, 10_000),
    },
)
PIECES = st.sampled_from(['"', "-", "'", "\\", "%", ":*", "&", "|", "!", "<->", "(", ")", "\x00", "\u202e", "\ud800"])
WORDS = st.sampled_from(["harbour", "harbor", "a.txt", "INV-1", "2024", "猫", "の", "ß", "ﬁ", "café", "١٢", "x" * 300])
QUERIES = st.lists(PIECES | WORDS | st.text(max_size=3), min_size=1, max_size=40).map(" ".join).map(lambda q: q[:1000])
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def as_json(body) -> bytes:
    return json.dumps(body).encode("utf-8", "surrogatepass")


@SLOW
@given(body=st.dictionaries(FIELDS | st.text(max_size=5), ANYTHING, max_size=6) | ANYTHING)
async def test_whatever_json_is_sent_is_refused_or_answered(client, body):
    answer = await client.post(SEARCH, content=as_json(body), headers=JSON)
    assert answer.status_code in {200, 422}, answer.text


@SLOW
@given(body=PLAUSIBLE)
async def test_whatever_filters_are_combined_there_is_an_answer(client, body):
    answer = await client.post(SEARCH, content=as_json(body), headers=JSON)
    assert answer.status_code in {200, 422}, answer.text
    if answer.status_code == 200:
        assert answer.json()["data"]["results"] == []


@SLOW
@given(query=QUERIES, mode=st.sampled_from(["hybrid", "semantic", "keyword"]))
async def test_whatever_is_typed_finds_at_most_what_is_there(world, client, query, mode):
    await world.apply(await world.processed(world.upload("ada", "a.txt")))
    answer = await client.post(SEARCH, content=as_json({"query": query, "mode": mode}), headers=JSON)
    assert answer.status_code in {200, 422}, answer.text
    if answer.status_code == 200:
        assert answer.json()["data"]["total"] <= 1


@SLOW
@given(body=st.dictionaries(st.sampled_from(["search_id", "upload_id", "rating", "text", "x"]), ANYTHING) | ANYTHING)
async def test_whatever_feedback_is_sent_is_refused(client, body):
    answer = await client.post("/api/v1/feedback", content=as_json(body), headers=JSON)
    assert answer.status_code == 422, answer.text
