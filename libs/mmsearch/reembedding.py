"""Python calls about embedding models into requests: filling a second index, comparing, switching, dropping."""

import time
from collections.abc import Iterator
from typing import Any

from mmsearch.client import Client
from mmsearch.operator_models import Admitted, Comparison, Dropped, ModelState, Reembedded, Switched


class ReembeddingClient(Client):
    """A :class:`~mmsearch.client.Client` for a change of the embedding model.

    What concerns everyone, or another user, is refused with 403 ``forbidden`` without the operator's role.
    """

    def models(self, *, everyone: bool) -> tuple[ModelState, ...]:
        """Every model with what its index holds and lacks, for the caller or for everyone."""
        return self._call(tuple[ModelState, ...], "GET", "/search/models", params={"everyone": everyone})

    def models_meanwhile(self) -> tuple[ModelState, ...]:
        """The same for everyone, while an index is being filled: waits for a service that is away for a moment."""
        return self._call_meanwhile(tuple[ModelState, ...], "GET", "/search/models", params={"everyone": True})

    def comparison(self, model_id: str, queries: int) -> Comparison:
        """The caller's latest queries, asked of the answering model and of another."""
        wish = {"model_id": model_id, "queries": queries}
        return self._call(Comparison, "GET", "/search/models/comparison", params=wish)

    def files_to_embed(self, model_id: str) -> int:
        """How many files :meth:`fill` would hand to the embedder."""
        wish = {"model_id": model_id, "dry_run": True}
        return self._call(Reembedded, "POST", "/admin/reembed", json=wish).matched or 0

    def fill(self, model_id: str) -> Iterator[int]:
        """Hands everyone's files to the embedder for a model, batch after batch; yields how many each time."""
        number = self._call(Admitted, "POST", "/search/models/admit", json={"model_id": model_id}).round
        after: str | None = ""
        while after is not None:
            wish = {"model_id": model_id, "round": number, "after": after}
            batch = self._call_meanwhile(Reembedded, "POST", "/admin/reembed", json=wish)
            yield batch.announced
            after = batch.next
            if after is not None:
                time.sleep(batch.wait_s)

    def switch(self, model_id: str, *, user_id: str | None, everyone: bool, force: bool) -> Switched:
        """Has the caller, another user or everyone answered by a model."""
        wish = {"model_id": model_id, "everyone": everyone, "force": force} | _of(user_id)
        return self._call(Switched, "POST", "/search/models/switch", json=wish)

    def rollback(self, *, user_id: str | None, everyone: bool, force: bool) -> Switched:
        """Goes back to the model that answered before."""
        wish = {"everyone": everyone, "force": force} | _of(user_id)
        return self._call(Switched, "POST", "/search/models/rollback", json=wish)

    def drop(self, model_id: str) -> Iterator[Dropped]:
        """Removes what a model holds, batch after batch, until nothing is left."""
        while True:
            done = self._call_meanwhile(Dropped, "POST", "/search/models/drop", json={"model_id": model_id})
            yield done
            if not done.remaining:
                return
            time.sleep(done.wait_s)


def _of(user_id: str | None) -> dict[str, Any]:
    return {} if user_id is None else {"user_id": user_id}
