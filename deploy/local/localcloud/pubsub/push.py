"""Push delivery: each push subscription's messages are posted to its endpoint; the status is the acknowledgement.

One loop per subscription with a window of concurrent requests; a request may take the ack deadline.
"""

import asyncio
import logging

import httpx2
from google.pubsub_v1 import types

from localcloud.pubsub.deliveries import Lease
from localcloud.pubsub.errors import PubSubError
from localcloud.pubsub.flow import FlowBudget
from localcloud.pubsub.message_store import MessageStore
from localcloud.pubsub.oidc import TokenSigner
from localcloud.pubsub.push_request import PushRequest, push_request
from localcloud.pubsub.push_window import LARGEST_WINDOW, PushWindow
from localcloud.pubsub.subscription import Subscription, ack_id_of
from localcloud.pubsub.wire import parse_body

_SUCCESS = frozenset({102, 200, 201, 202, 204})
# The HTTP timeout decides; the lease is only there for the case that this process loses track.
_LEASE_MARGIN = 5
_MOST_ANSWER_BYTES = 65536

_log = logging.getLogger(__name__)


class PushDelivery:
    """All push loops; follows the catalog's changes."""

    def __init__(self, store: MessageStore, signer: TokenSigner) -> None:
        self._store = store
        self._signer = signer
        # The environment's proxies are not for endpoints on this machine.
        self._client = httpx2.AsyncClient(
            follow_redirects=False, trust_env=False, limits=httpx2.Limits(max_connections=None)
        )
        self._loops: dict[int, tuple[bytes, asyncio.Task[None]]] = {}

    def follow(self, subscription: Subscription) -> None:
        """Start, restart or stop the loop of a subscription that appeared, changed or went."""
        settings = subscription.settings
        wanted = b"" if settings.detached else types.PushConfig.serialize(settings.push_config)
        current = self._loops.get(subscription.key)
        if current is not None and current[0] == wanted and not current[1].done():
            return
        if current is not None:
            current[1].cancel()
            del self._loops[subscription.key]
        if wanted and settings.push_config.push_endpoint:
            loop = _PushLoop(subscription, self._store, self._signer, self._client)
            self._loops[subscription.key] = wanted, asyncio.create_task(loop.run())

    async def close(self) -> None:
        """Stop every loop; what is under way is delivered again after a restart."""
        tasks = [task for _, task in self._loops.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()


class _PushLoop:
    def __init__(
        self,
        subscription: Subscription,
        store: MessageStore,
        signer: TokenSigner,
        client: httpx2.AsyncClient,
    ) -> None:
        self._subscription = subscription
        self._store = store
        self._signer = signer
        self._client = client
        self._config = subscription.settings.push_config
        self._window = PushWindow()
        self._room = asyncio.Event()

    async def run(self) -> None:
        budget = FlowBudget(LARGEST_WINDOW)
        try:
            async with asyncio.TaskGroup() as requests:
                while True:
                    while budget.messages >= self._window.size:
                        self._room.clear()
                        await self._room.wait()
                    await self._pause()
                    for lease in await self._subscription.acquire(budget, 1, self._seconds + _LEASE_MARGIN):
                        requests.create_task(self._deliver(lease))
        except* PubSubError as closed:
            _log.info("push to %s ends: %s", self._config.push_endpoint, closed.exceptions[0])

    @property
    def _seconds(self) -> int:
        return self._subscription.settings.ack_deadline_seconds

    async def _pause(self) -> None:
        # With a retry policy each message waits for itself and must not hold up the others.
        if "retry_policy" not in self._subscription.settings:
            await asyncio.sleep(self._window.pause)

    async def _deliver(self, lease: Lease) -> None:
        ack_id = ack_id_of(self._subscription, lease)
        try:
            request = await self._request(lease)
            delivered = request is not None and await self._post(request)
        except Exception:
            # One message that cannot be sent must not end the delivery of all others.
            _log.exception("push of message %s failed", lease.message_id)
            delivered = False
        if delivered:
            self._window.succeeded()
            await self._subscription.acknowledge([ack_id])
        else:
            self._window.failed()
            self._subscription.modify([ack_id], [0])
        self._room.set()

    async def _request(self, lease: Lease) -> PushRequest | None:
        body = (await self._store.bodies([lease.message_id])).get(lease.message_id)
        if body is None:
            return None
        attempt = lease.attempt if self._subscription.counts_attempts else None
        request = push_request(self._subscription.name, self._config, parse_body(body), attempt)
        if "oidc_token" in self._config:
            audience = self._config.oidc_token.audience or self._config.push_endpoint
            token = self._signer.token(self._config.oidc_token.service_account_email, audience)
            request.headers["authorization"] = f"Bearer {token}"
        return request

    async def _post(self, request: PushRequest) -> bool:
        headers = httpx2.Headers([(name.encode(), value.encode()) for name, value in request.headers.items()])
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._client.stream("POST", request.url, content=request.body, headers=headers, timeout=None) as answer,
            ):
                status = answer.status_code
                await _read_away(answer)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as failure:
            _log.warning("push to %s failed: %s", request.url, str(failure) or type(failure).__name__)
            return False
        if status not in _SUCCESS:
            _log.warning("push to %s was refused with status %s", request.url, status)
        return status in _SUCCESS


async def _read_away(answer: httpx2.Response) -> None:
    """Read a short answer so that its connection can be used again."""
    read = 0
    async for chunk in answer.aiter_raw():
        read += len(chunk)
        if read > _MOST_ANSWER_BYTES:
            return
