"""Python calls about embedding models into requests: filling a second index, comparing, switching, dropping."""

import time
from collections.abc import Iterator
from typing import Any

from mmsearch.client import Client

Answered = dict[str, Any]


class ReembeddingClient(Client):
    """A :class:`~mmsearch.client.Client` for a change of the embedding model.

    What concerns everyone, or another user, is refused with 403 ``forbidden`` without the operator's role.
    """

    def models(self, *, everyone: bool) -> list[Answered]:
        """Every model with what its index holds and lacks, for the caller or for everyone."""
        return self._data("GET", "/search/models", params={"everyone": everyone})

    def models_meanwhile(self) -> list[Answered]:
        """The same for everyone, while an index is being filled: waits for a service that is away for a moment."""
        return self._meanwhile("GET", "/search/models", params={"everyone": True}).data

    def comparison(self, model_id: str, queries: int) -> Answered:
        """The caller's latest queries, asked of the answering model and of another."""
        return self._data("GET", "/search/models/comparison", params={"model_id": model_id, "queries": queries})

    def files_to_embed(self, model_id: str) -> int:
        """How many files :meth:`fill` would hand to the embedder."""
        wish = {"model_id": model_id, "dry_run": True}
        return int(self._data("POST", "/admin/reembed", json=wish)["matched"])

    def fill(self, model_id: str) -> Iterator[int]:
        """Hands everyone's files to the embedder for a model, batch after batch; yields how many each time."""
        number = self._data("POST", "/search/models/admit", json={"model_id": model_id})["round"]
        after: str | None = ""
        while after is not None:
            wish = {"model_id": model_id, "round": number, "after": after}
            batch: Any = self._meanwhile("POST", "/admin/reembed", json=wish).data
            yield batch["announced"]
            after = batch["next"]
            if after is not None:
                time.sleep(batch["wait_s"])

    def switch(self, model_id: str, *, user_id: str | None, everyone: bool, force: bool) -> Answered:
        """Has the caller, another user or everyone answered by a model."""
        wish = {"model_id": model_id, "everyone": everyone, "force": force} | _of(user_id)
        return self._data("POST", "/search/models/switch", json=wish)

    def rollback(self, *, user_id: str | None, everyone: bool, force: bool) -> Answered:
        """Goes back to the model that answered before."""
        wish = {"everyone": everyone, "force": force} | _of(user_id)
        return self._data("POST", "/search/models/rollback", json=wish)

    def drop(self, model_id: str) -> Iterator[Answered]:
        """Removes what a model holds, batch after batch, until nothing is left."""
        while True:
            done: Any = self._meanwhile("POST", "/search/models/drop", json={"model_id": model_id}).data
            yield done
            if not done["remaining"]:
                return
            time.sleep(done["wait_s"])

    def _data(self, method: str, path: str, **request: Any) -> Any:
        return self._envelope(method, path, **request).data


def _of(user_id: str | None) -> Answered:
    return {} if user_id is None else {"user_id": user_id}
