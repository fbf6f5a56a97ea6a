"""Turns a wish about many uploads (kind, cause, since) into runs of each, a bounded batch at a time."""

from dataclasses import dataclass

from contracts.artifacts import FailureCode, Service
from hosting.answers import ApiError
from identity.principal import Principal
from upload_gateway.changes import process_upload, retry_upload
from upload_gateway.failures import ADVICE
from upload_gateway.quota import charged_for
from upload_gateway.repair.limits import PAUSE_S, Batch
from upload_gateway.republishing import announce_to_search
from upload_gateway.resources import Resources
from upload_gateway.store import repair, uploads
from upload_gateway.store.repair import FailureGroup, Owned, Selection

REPROCESS_ACTION = "reprocess"
"""Of operators, who share one allowance."""
OWN_REPROCESS_ACTION = "reprocess-own"
"""Of everybody else, each with an allowance of their own."""


@dataclass(frozen=True)
class Cause:
    """A group of failures with what its owners, or the operator, can do."""

    group: FailureGroup
    advice: str
    retryable: bool


async def causes(resources: Resources, wanted: Selection) -> list[Cause]:
    """Why uploads failed, most frequent first; of ``wanted.user_id`` or of everyone."""
    async with resources.database.transaction() as session:
        await repair.see_all(session)
        groups = await repair.failure_groups(session, wanted)
    return [_advised(group) for group in groups]


async def reprocess(
    resources: Resources,
    caller: Principal,
    wanted: Selection,
    from_stage: Service | None,
    *,
    after: str,
    limit: int,
    per_minute: int,
    dry_run: bool,
) -> Batch:
    """Runs the next uploads of a selection again, from ``from_stage`` or where each failed.

    ``count`` is what is left of the selection from ``after`` on. Nothing is started in a dry run. What a ``caller``
    starts who is no operator counts on their day; what the day has no room for is skipped.
    """
    async with resources.database.transaction() as session:
        await repair.see_all(session)
        matched = await repair.count(session, wanted, after)
        if dry_run:
            return Batch(count=matched)
        action, alone = (REPROCESS_ACTION, None) if caller.operator else (OWN_REPROCESS_ACTION, caller.user_id)
        room = min(limit, await repair.allowance(session, action, per_minute, alone))
        found = await repair.select_page(session, wanted, after, room) if room else []
        await repair.journal(session, caller.user_id, action, [upload.upload_id for upload in found])
    started: list[str] = []
    skipped: dict[str, str] = {}
    for upload in found:
        refusal = await _run_again(resources, upload, from_stage, charged_for(caller))
        if refusal:
            skipped[upload.upload_id] = refusal
        else:
            started.append(upload.upload_id)
    following = (found[-1].upload_id if found else after) if matched > len(found) else None
    return Batch(done=started, skipped=skipped, count=matched, next=following, wait_s=0 if room else PAUSE_S)


async def _run_again(
    resources: Resources, upload: Owned, from_stage: Service | None, charged: Principal | None
) -> str | None:
    """None, or the code of why not."""
    try:
        if from_stage is Service.SEARCH:
            return await _announce_again(resources, upload)
        if from_stage is None:
            await retry_upload(resources, upload.user_id, upload.upload_id, charged)
        else:
            await process_upload(resources, upload.user_id, upload.upload_id, from_stage, charged)
    except ApiError as refused:
        return refused.code
    return None


async def _announce_again(resources: Resources, upload: Owned) -> str | None:
    async with resources.database.transaction(upload.user_id) as session:
        state = await uploads.find_for_update(session, upload.upload_id)
        if state is None or state.deleted or state.removed:
            return "not_found"
        announced = await announce_to_search(session, state)
    resources.announced()
    return None if announced else "not_ready"


def _advised(group: FailureGroup) -> Cause:
    advice = ADVICE[FailureCode(group.code)]
    return Cause(group, advice.text, advice.retryable)
