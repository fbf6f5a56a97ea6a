"""Uploads are counted when, and only when, what they came to is committed; every status once."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from contracts.artifacts import FailureCode, Service, UploadRef
from contracts.events import MediaFailedV1
from upload_gateway.metrics import count_dead_letter, count_steps
from upload_gateway.uploads import Heard, UploadState, apply, beginning

REF = UploadRef(upload_id="upl_" + "a" * 26, user_id="u", bucket="bucket", object_name="u/x", generation=1)


@pytest.fixture
def session() -> Iterator[Any]:
    engine = create_engine("sqlite://")
    with Session(engine) as plain:
        plain.execute(text("SELECT 1"))
        yield SimpleNamespace(sync_session=plain)
    engine.dispose()


def failed(state: UploadState) -> UploadState:
    event = MediaFailedV1(
        upload=REF, stage=Service.MEDIA_PROCESSOR, code=FailureCode.CORRUPT, message="broken", retryable=False
    )
    return apply(state, Heard[MediaFailedV1](event_id="e", time=datetime.now(UTC), data=event))


def count(status: str) -> float:
    return REGISTRY.get_sample_value("uploads_total", {"file_type": "unknown", "status": status}) or 0


def test_a_commit_counts_once(session: Any) -> None:
    before, start = count("failed"), beginning(REF)
    count_steps(session, start, failed(start))
    assert count("failed") == before
    session.sync_session.commit()
    assert count("failed") == before + 1
    session.sync_session.execute(text("SELECT 1"))
    session.sync_session.commit()
    assert count("failed") == before + 1


def test_the_same_status_again_counts_nothing(session: Any) -> None:
    before, once = count("failed"), failed(beginning(REF))
    count_steps(session, once, failed(once))
    session.sync_session.commit()
    assert count("failed") == before


def test_what_is_rolled_back_never_happened(session: Any) -> None:
    before, start = count("failed"), beginning(REF)
    count_steps(session, start, failed(start))
    session.sync_session.rollback()
    session.sync_session.close()
    assert count("failed") == before


def test_dead_letters_are_counted_by_subscription(session: Any) -> None:
    labels = {"subscription": "analyzer.media.processed.v1"}
    before = REGISTRY.get_sample_value("dead_letters_total", labels) or 0
    count_dead_letter(session, labels["subscription"])
    session.sync_session.commit()
    assert REGISTRY.get_sample_value("dead_letters_total", labels) == before + 1
