"""Turns notifications of the database into messages for each open stream: the newest state of every changed upload.

A stream is woken, reads what changed since its position in a short transaction, and sends it. Nothing is queued: a
client that reads slowly finds only the newest state of each upload at its next reading, and a notification that got
lost costs a heartbeat's delay, never a change.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel

from database.engine import Database
from hosting.answers import ApiError
from upload_gateway.store import live as store
from upload_gateway.store.listening import Listener
from upload_gateway.store.live import Changed
from upload_gateway.store.uploads import UploadRow

HEARTBEAT_S = 15.0
STREAM_S = 55 * 60.0
"""Then the client comes back by itself: tokens end, and platforms cut connections after an hour."""
_PAUSE_S = 0.05
"""Between two readings, so that a burst is one reading."""
_RETRY_S = 1.0
_PAGE = 50
_POSITION = re.compile(r"^[0-9]{1,18}$")

Admitted = Callable[[], Awaitable[bool]]
"""Whether the credential a stream was opened with still lets its owner in."""


class Hello(BaseModel):
    """First message: the position of now. Not ``resumed``: what changed before has to be read from the list."""

    id: str
    resumed: bool


@dataclass(frozen=True)
class Message:
    """Said first, an upload as it is now, or a heartbeat; whoever sends ``id`` back gets what came after it."""

    event: Literal["hello", "upload", "heartbeat"]
    id: str
    data: Hello | UploadRow | None = None


class LiveUploads:
    """The streams of this process; a context manager that listens while it is open. ``on_user_changed`` is called
    with the id of a user whose account or keys changed, before their streams look whether they may go on.
    """

    def __init__(
        self, url: str, database: Database, on_user_changed: Callable[[str], None], *, streams_per_user: int = 10
    ) -> None:
        self._database = database
        self._on_user_changed = on_user_changed
        self._streams_per_user = streams_per_user
        self._wakes: dict[str, set[asyncio.Event]] = {}
        channels = {"uploads_changed": self._wake, "users_changed": self._user_changed}
        self._listener = Listener(url, channels, self._wake_all)
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._listening = asyncio.create_task(self._listener.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    @contextmanager
    def subscription(self, user_id: str) -> Generator[asyncio.Event, None, None]:
        """An event that is set when something of the user changed. 429 when there are too many already."""
        wakes = self._wakes.setdefault(user_id, set())
        if len(wakes) >= self._streams_per_user:
            message = f"At most {self._streams_per_user} live streams at once; close one first."
            raise ApiError(429, "too_many_streams", message, headers={"Retry-After": "15"})
        wake = asyncio.Event()
        wakes.add(wake)
        try:
            yield wake
        finally:
            wakes.discard(wake)
            if not wakes:
                self._wakes.pop(user_id, None)

    async def messages(
        self, user_id: str, last_id: str | None, wake: asyncio.Event, admitted: Admitted
    ) -> AsyncGenerator[Message, None]:
        """Until ``admitted`` says no or the stream is old. Outages of the database are waited out."""
        changes = await self._begin(user_id, last_id)
        yield changes.hello()
        ends, spoke = time.monotonic() + STREAM_S, time.monotonic()
        while time.monotonic() < ends:
            wake.clear()
            try:
                if not await admitted():
                    return
                found = await changes.read()
            except ConnectionError:
                await asyncio.sleep(_RETRY_S)
                continue
            for message in found:
                yield message
                spoke = time.monotonic()
            if changes.more:
                continue
            if found:
                await asyncio.sleep(_PAUSE_S)
            if await _silent(wake, spoke + HEARTBEAT_S - time.monotonic()):
                yield changes.heartbeat()
                spoke = time.monotonic()

    async def _begin(self, user_id: str, last_id: str | None) -> "_Changes":
        while True:
            try:
                return await _Changes.beginning(self._database, user_id, last_id)
            except ConnectionError:
                await asyncio.sleep(_RETRY_S)

    def _wake(self, user_id: str) -> None:
        for wake in self._wakes.get(user_id, ()):
            wake.set()

    def _user_changed(self, user_id: str) -> None:
        self._on_user_changed(user_id)
        self._wake(user_id)

    def _wake_all(self) -> None:
        for user_id in self._wakes:
            self._user_changed(user_id)


async def _silent(wake: asyncio.Event, seconds: float) -> bool:
    """Waits for ``wake``; True when the time went by without."""
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await wake.wait()
    except TimeoutError:
        return True
    return False


class _Changes:
    """One stream's place in its user's changes; ``more`` says that the last reading was not the end."""

    def __init__(self, database: Database, user_id: str, position: int, *, resumed: bool) -> None:
        self._database = database
        self._user_id = user_id
        self._position = position
        self._resumed = resumed
        self._sent: dict[str, int] = {}
        self._scan: tuple[int, tuple[int, str]] | None = None

    @classmethod
    async def beginning(cls, database: Database, user_id: str, last_id: str | None) -> Self:
        """At ``last_id``, or at now when there is none or it is not one of this database."""
        async with database.transaction(user_id) as session:
            now = await store.horizon(session)
        asked = int(last_id) if last_id and _POSITION.match(last_id) else None
        resumed = asked is not None and asked <= now
        return cls(database, user_id, asked if asked is not None and resumed else now, resumed=resumed)

    @property
    def more(self) -> bool:
        """True between two pages of one reading."""
        return self._scan is not None

    def hello(self) -> Message:
        """Where the stream begins."""
        hello = Hello(id=str(self._position), resumed=self._resumed)
        return Message("hello", hello.id, hello)

    def heartbeat(self) -> Message:
        """Nothing happened up to here."""
        return Message("heartbeat", str(self._position))

    async def read(self) -> list[Message]:
        """The next page of changes. Its last message carries the new position once everything before was read."""
        changed = await self._next_page()
        fresh = [found for found in changed if self._sent.get(found.upload.upload_id) != found.change]
        before = str(self._position)
        self._sent |= {found.upload.upload_id: found.change for found in fresh}
        if self._scan is None:
            # Above the horizon a change can be read twice: here, and again when an older transaction has ended.
            self._sent = {name: change for name, change in self._sent.items() if change >= self._position}
        messages = [Message("upload", before, found.upload) for found in fresh]
        if messages and self._scan is None:
            messages[-1] = Message("upload", str(self._position), messages[-1].data)
        return messages

    async def _next_page(self) -> list[Changed]:
        """The place moves only when everything was read: a reading that an outage ends is begun again."""
        scan, removed = self._scan, list[Changed]()
        async with self._database.transaction(self._user_id) as session:
            if scan is None:
                scan = (await store.horizon(session), (self._position, ""))
                removed = list(await store.removed_since(session, self._user_id, self._position))
            horizon, after = scan
            page = await store.changed_after(session, self._user_id, after, _PAGE)
        if len(page) < _PAGE:
            self._position, self._scan = horizon, None
        else:
            self._scan = (horizon, (page[-1].change, page[-1].upload.upload_id))
        return [*removed, *page]
