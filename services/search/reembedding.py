"""Moves users from one embedding model to another: how much of its index is filled and what the rest would cost, which
model answers whom, and the removal of a model in the end.
"""

import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from database.engine import Database
from hosting.answers import ApiError, not_found
from search.models import Models
from search.store import dropping
from search.store import models as store
from search.store.models import EVERYONE, Choice, Coverage, Held

BYTES_PER_TOKEN = 3.5
"""OpenAI's models take 4 to 4.5 bytes of English for a token and about 3 of other scripts: a cautious estimate."""

GRACE_S = 10.0
"""Seconds after a switch in which nothing is dropped: searches that began before it may still read the old vectors."""

_NOTHING_HELD = Held(dimensions=0, files=0, passages=0)
_log = structlog.get_logger()


@dataclass(frozen=True)
class ModelState:
    """The state of a model for the caller or for everyone.

    ``configured`` is ``current``, ``next``, or null if this process has no encoder for it. ``answering``: searches of
    the caller (or everyone) use it; ``users``: how many chose it for themselves. ``files`` and ``passages`` are what
    its index holds; ``expected`` are the files that some model finds by meaning today, the missing ones what the index
    lacks of them, and what embedding those would cost, estimated.
    """

    model_id: str
    dimensions: int
    configured: str | None
    answering: bool
    users: int
    dropped: bool
    files: int
    passages: int
    expected: int
    missing_files: int
    missing_passages: int
    missing_tokens: int
    missing_cost_usd: float


@dataclass(frozen=True)
class Switched:
    """The models that answer now and did before; ``missing_files`` are found by words only until they are embedded."""

    model_id: str
    previous_model_id: str
    missing_files: int


@dataclass(frozen=True)
class Dropped:
    """How many files one call removed. Call again after ``wait_s`` seconds while ``remaining`` is not 0."""

    removed_files: int
    remaining: int
    wait_s: int


class Reembedding:
    """Switches, rolls back and drops models, for one user id or ``EVERYONE``. Refusals are ``ApiError`` 409."""

    def __init__(self, database: Database, models: Models, *, grace_s: float = GRACE_S) -> None:
        self._database = database
        self._models = models
        self._grace_s = grace_s

    async def states(self, user_id: str) -> list[ModelState]:
        """Returns the state of every model that is configured or of which the index holds anything."""
        async with self._transaction(user_id) as session:
            held = await store.held(session, user_id)
            choices = await store.choices(session, user_id)
            ids = list(dict.fromkeys([*self._models.ids, *sorted(held)]))
            coverage = await store.coverage(session, user_id, ids)
            users = await store.own_choices(session) if user_id == EVERYONE else {}
            dropped = await store.dropped(session)
        answering = self._answering(choices, user_id)
        return [
            self._state(
                model_id,
                held.get(model_id, _NOTHING_HELD),
                coverage[model_id],
                answering=model_id == answering,
                users=users.get(model_id, 0),
                dropped=model_id in dropped,
            )
            for model_id in ids
        ]

    async def admit(self, model_id: str) -> int:
        """Lets the index of a dropped model be filled again; returns how often it was dropped."""
        self._models.require(model_id)
        async with self._transaction(EVERYONE) as session:
            return await store.admit(session, model_id)

    async def switch(self, user_id: str, model_id: str, *, force: bool) -> Switched:
        """Makes searches that begin from now on use the model; a choice for everyone deletes all users' own choices.

        Refused if files would no longer be found by meaning, unless ``force``.
        """
        async with self._transaction(user_id) as session:
            await store.lock_choices(session)
            return await self._switch(session, user_id, model_id, force=force)

    async def rollback(self, user_id: str, *, force: bool) -> Switched:
        """Switches back to the model that answered before the last switch; to do so again changes nothing."""
        async with self._transaction(user_id) as session:
            await store.lock_choices(session)
            choice = (await store.choices(session, user_id)).get(user_id)
            if choice is None:
                raise ApiError(409, "nothing_to_roll_back", "No other model has answered before.")
            back = await self._switch(session, user_id, choice.previous_model_id, force=force)
            # From here there is no way back to what was rolled back; a switch leads there.
            await store.choose(session, user_id, choice.previous_model_id, choice.previous_model_id)
            return back

    async def drop(self, model_id: str, limit: int) -> Dropped:
        """Removes what a model that answers nobody holds of up to ``limit`` files; new files are no longer written."""
        async with self._transaction(EVERYONE) as session:
            await store.lock_choices(session)
            remaining = await dropping.count(session, model_id)
            await self._check_unused(session, model_id, remaining)
            changed_s_ago = await store.changed_s_ago(session)
            if changed_s_ago is not None and changed_s_ago < self._grace_s:
                return Dropped(0, max(remaining, 1), math.ceil(self._grace_s - changed_s_ago))
            await store.drop(session, model_id)
        async with self._transaction(EVERYONE) as session:
            found = await dropping.following(session, model_id, limit)
        for user_id, owned in groupby(found, key=lambda one: one.user_id):
            async with self._database.transaction(user_id) as session:
                await dropping.remove(session, user_id, [one.upload_id for one in owned], model_id)
        async with self._transaction(EVERYONE) as session:
            remaining = await dropping.count(session, model_id)
        _log.info("model dropped", action="drop", model_id=model_id, files=len(found), remaining=remaining)
        return Dropped(len(found), remaining, 0)

    @asynccontextmanager
    async def _transaction(self, user_id: str) -> AsyncGenerator[AsyncSession, None]:
        async with self._database.transaction(user_id) as session:
            if user_id == EVERYONE:
                await store.see_all(session)
            yield session

    async def _switch(self, session: AsyncSession, user_id: str, model_id: str | None, *, force: bool) -> Switched:
        choices = await store.choices(session, user_id)
        before = self._answering(choices, user_id)
        after = model_id or self._everyones(choices)
        self._models.require(after)
        if after in await store.dropped(session):
            raise ApiError(409, "model_dropped", f"{after} was dropped; fill its index again first.")
        missing = (await store.coverage(session, user_id, [after]))[after].missing
        if missing and not force:
            message = f"{missing} files cannot be found by {after} yet."
            raise ApiError(409, "model_not_covering", message, details={"missing_files": missing})
        own = choices.get(user_id)
        previous = before if user_id == EVERYONE else own.model_id if own else None
        if own is None or own.model_id != model_id:
            await store.choose(session, user_id, model_id, previous)
        if user_id == EVERYONE:
            await store.forget_own_choices(session)
        _log.info("model switched", action="switch", everyone=user_id == EVERYONE, model_id=after, before=before)
        return Switched(after, before, missing)

    async def _check_unused(self, session: AsyncSession, model_id: str, files: int) -> None:
        if self._models.named(model_id) is None and not files:
            raise not_found("model")
        if model_id == self._models.current.model_id:
            message = f"New files are embedded by {model_id}: name another one as EMBEDDING_BACKEND first."
            raise ApiError(409, "model_in_use", message)
        users = (await store.own_choices(session)).get(model_id, 0)
        if users or model_id == self._everyones(await store.choices(session, EVERYONE)):
            message = f"{model_id} answers {f'{users} users' if users else 'everyone'}: switch them first."
            raise ApiError(409, "model_answers", message, details={"users": users})

    def _everyones(self, choices: dict[str, Choice]) -> str:
        choice = choices.get(EVERYONE)
        return (choice and choice.model_id) or self._models.current.model_id

    def _answering(self, choices: dict[str, Choice], user_id: str) -> str:
        choice = choices.get(user_id)
        return (choice and choice.model_id) or self._everyones(choices)

    def _state(
        self, model_id: str, held: Held, coverage: Coverage, *, answering: bool, users: int, dropped: bool
    ) -> ModelState:
        model = self._models.named(model_id)
        tokens = math.ceil(coverage.missing_bytes / BYTES_PER_TOKEN)
        return ModelState(
            model_id=model_id,
            dimensions=model.dimensions if model else held.dimensions,
            configured=None if model is None else "current" if model is self._models.current else "next",
            answering=answering,
            users=users,
            dropped=dropped,
            files=held.files,
            passages=held.passages,
            expected=coverage.files,
            missing_files=coverage.missing,
            missing_passages=coverage.missing_passages,
            missing_tokens=tokens,
            missing_cost_usd=round(model.price.cost_usd(tokens), 6) if model else 0.0,
        )
