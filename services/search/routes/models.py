"""``/api/v1/search/models``: which models have an index, how they compare, and which one answers; for the caller, and
for everyone if the caller is an operator.
"""

from typing import Annotated, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.identifiers import USER_ID_PATTERN
from database.engine import Database
from hosting.answers import Answer, ApiError, not_found
from hosting.app import API_ROOT
from identity.principal import Caller, Principal
from search.comparison import Comparing, Comparison
from search.reembedding import Dropped, ModelState, Reembedding, Switched
from search.routes.bodies import declared, read_model
from search.store import principals
from search.store.models import EVERYONE

ModelId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Admission(_Body):
    """A model whose index is to be filled."""

    model_id: ModelId


class Removal(_Body):
    """A model that answers nobody, and from how many files to remove it in this call."""

    model_id: ModelId
    limit: int = Field(default=200, ge=1, le=500)


class Return(_Body):
    """Who goes back to the model that answered before: the caller, another user or everyone.

    ``force``: even if files are then no longer found by meaning.
    """

    user_id: Annotated[str, StringConstraints(pattern=USER_ID_PATTERN)] | None = None
    everyone: bool = False
    force: bool = False

    @model_validator(mode="after")
    def _one_or_all(self) -> Self:
        if self.everyone and self.user_id is not None:
            raise ValueError("either a user or everyone")
        return self


class Switch(Return):
    """Whose searches are to use which model."""

    model_id: ModelId


class Admitted(BaseModel):
    """``round``: how often the model was dropped before; pass it on to ``POST /admin/reembed``."""

    model_id: str
    round: int


def models_router(database: Database, reembedding: Reembedding, comparing: Comparing) -> APIRouter:
    """Returns the routes for the models' indexes and the choice of the model that answers."""
    router = APIRouter(prefix=f"{API_ROOT}/search/models", tags=["models"])

    @router.get("")
    async def models(caller: Caller, everyone: bool = False) -> Answer[list[ModelState]]:
        """Each model with what its index holds and lacks, and whom it answers; ``everyone``: for operators only."""
        return Answer(data=await reembedding.states(_operators(caller, EVERYONE) if everyone else caller.user_id))

    @router.get("/comparison")
    async def comparison(
        caller: Caller, model_id: Annotated[ModelId, Query()], queries: Annotated[int, Query(ge=1, le=50)] = 20
    ) -> Answer[Comparison]:
        """Runs the caller's latest different queries with the answering model and with another one.

        Compares files that both have; refused while the other has none. Nothing is added to the history.
        """
        return Answer(data=await comparing.compare(caller.user_id, model_id, queries))

    _ = (models, comparison)
    _add_changes(router, database, reembedding)
    return router


def _add_changes(router: APIRouter, database: Database, reembedding: Reembedding) -> None:
    @router.post("/admit", openapi_extra=declared(Admission))
    async def admit(caller: Caller, request: Request) -> Answer[Admitted]:
        """Lets a model's vectors be written, even if it was dropped before: the first step of a re-embedding."""
        _operators(caller, EVERYONE)
        body = await read_model(request, Admission)
        number = await reembedding.admit(body.model_id)
        return Answer(data=Admitted(model_id=body.model_id, round=number))

    @router.post("/switch", openapi_extra=declared(Switch))
    async def switch(caller: Caller, request: Request) -> Answer[Switched]:
        """Makes searches that begin from now on use this model; refused while that would lose files."""
        body = await read_model(request, Switch)
        user_id = await _meant(database, caller, body)
        return Answer(data=await reembedding.switch(user_id, body.model_id, force=body.force))

    @router.post("/rollback", openapi_extra=declared(Return))
    async def rollback(caller: Caller, request: Request) -> Answer[Switched]:
        """Switches back to the model that answered before."""
        body = await read_model(request, Return)
        user_id = await _meant(database, caller, body)
        return Answer(data=await reembedding.rollback(user_id, force=body.force))

    @router.post("/drop", openapi_extra=declared(Removal))
    async def drop(caller: Caller, request: Request) -> Answer[Dropped]:
        """Removes vectors and passages of a model that answers nobody, of some files in each call."""
        _operators(caller, EVERYONE)
        body = await read_model(request, Removal)
        return Answer(data=await reembedding.drop(body.model_id, body.limit))

    _ = (admit, switch, rollback, drop)


def _operators(caller: Principal, scope: str) -> str:
    if not caller.operator:
        raise ApiError(403, "forbidden", "Only operators may do this.")
    return scope


async def _meant(database: Database, caller: Principal, body: Return) -> str:
    """Returns the user id, or ``EVERYONE``, whose choice is to change. Raises ``ApiError`` 403 and 404."""
    if body.everyone:
        return _operators(caller, EVERYONE)
    if body.user_id is None or body.user_id == caller.user_id:
        return caller.user_id
    user_id = _operators(caller, body.user_id)
    async with database.transaction() as session:
        if await principals.by_user_id(session, user_id) is None:
            raise not_found("user")
    return user_id
