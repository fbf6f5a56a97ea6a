"""Turns the wish for another model's vectors into one event for each upload whose analysis is known, in batches."""

from contracts.events import UploadReembedV1
from upload_gateway.announcing import announce
from upload_gateway.repair.limits import PAUSE_S, Batch
from upload_gateway.resources import Resources
from upload_gateway.store import reembedding, repair
from upload_gateway.uploads import UploadState

ACTION = "reembed"


async def count(resources: Resources, after: str) -> Batch:
    """A dry run: how many uploads there are from the given place on."""
    async with resources.database.transaction() as session:
        await repair.see_all(session)
        return Batch(count=await reembedding.count(session, after))


async def reembed(
    resources: Resources, actor: str, model_id: str, number: int, *, after: str, limit: int, per_minute: int
) -> Batch:
    """Asks the embedder for one model's vectors of the next uploads; runs and states stay as they are.

    Whoever asks twice is answered from the embedder's memory, unpaid.
    """
    async with resources.database.transaction() as session:
        await repair.see_all(session)
        room = min(limit, await repair.allowance(session, ACTION, per_minute))
        if not room:
            return Batch(next=after, wait_s=PAUSE_S)
        found = await reembedding.page(session, after, room)
        events = [event for state in found if (event := reembed_event(state, model_id, number))]
        for event in events:
            upload = event.upload
            await announce(session, event, model_id, str(number), str(upload.generation), str(upload.run))
        handed = [event.upload.upload_id for event in events]
        await repair.journal(session, actor, ACTION, handed)
    resources.announced()
    return Batch(done=handed, next=found[-1].upload_id if len(found) == room else None)


def reembed_event(state: UploadState, model_id: str, number: int) -> UploadReembedV1 | None:
    """The same event that the embedder asks itself with; None when no analysis of this generation is known."""
    analyzed, embedded = state.analyzed, state.embedded
    if analyzed is None or analyzed.version[0] != state.generation:
        return None
    # The run whose vectors are there. Of a later one on its way the embedder itself will ask.
    refs = [heard.data.upload for heard in (analyzed, embedded) if heard and heard.version[0] == state.generation]
    upload = max(refs, key=lambda ref: ref.run)
    return UploadReembedV1(upload=upload, model_id=model_id, analyzed=analyzed.data, round=number)
