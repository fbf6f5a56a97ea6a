"""``/api/v1/search/models``: which models' indexes there are, how they compare, which one answers; for oneself, and for
everyone where the caller is an operator.
"""

from typing import Annotated, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.identifiers import USER_ID_PATTERN
from database.engine import Database
from hosting.answers import Answer, ApiError, not_found
from hosting.app import API_ROOT
from identity.principal import Caller, Principal
from search.comparison import Comparing
from search.reembedding import Reembedding
from search.routes.bodies import read_model
from search.store import principals
from search.store.models import EVERYONE

ModelId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Admission(_Body):
    """A model whose index is to be filled."""

    model_id: ModelId


class Removal(_Body):
    """A model that answers nobody, and of how many files to remove it in this call."""

    model_id: ModelId
    limit: int = Field(default=200, ge=1, le=500)


class Return(_Body):
    """Who goes back to what answered before: the caller, another user or everyone. ``force``: files may be lost."""

    user_id: Annotated[str, StringConstraints(pattern=USER_ID_PATTERN)] | None = None
    everyone: bool = False
    force: bool = False

    @model_validator(mode="after")
    def _one_or_all(self) -> Self:
        if self.everyone and self.user_id is not None:
            raise ValueError("either a user or everyone")
        return self


class Switch(Return):
    """Who is to be answered by which model."""

    model_id: ModelId


class _Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ModelShown(_Row):
    """A model as it stands for the caller or for everyone.

    ``configured`` is ``current``, ``next`` or null. ``files`` and ``passages`` are what its index holds; ``expected``
    are the files that can be found by meaning today, the missing ones what the index lacks of them, and what that
    would cost, estimated.
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


class QueryShown(_Row):
    """One past query: overlap of the first 20 files, and the names of the first three before and after."""

    query: str
    overlap: float
    first_changed: bool
    before: list[str]
    after: list[str]


class ComparisonShown(_Row):
    """The model that answers the caller beside another one.

    Files that the other lacks, ``missing_files`` of the ``expected``, are left out of both answers.
    """

    model_id: str
    other_model_id: str
    expected: int
    missing_files: int
    overlap: float
    first_changed: int
    queries: list[QueryShown]


class Admitted(BaseModel):
    """``round``: how often the model was dropped before, to be handed on to ``POST /admin/reembed``."""

    model_id: str
    round: int


class SwitchShown(_Row):
    """Who answers now, and did before; ``missing_files`` are found by their words alone."""

    model_id: str
    previous_model_id: str
    missing_files: int


class DropShown(_Row):
    """Call again after ``wait_s`` seconds while ``remaining`` is not 0."""

    removed_files: int
    remaining: int
    wait_s: int


def models_router(database: Database, reembedding: Reembedding, comparing: Comparing) -> APIRouter:
    """Everything about which model answers."""
    router = APIRouter(prefix=f"{API_ROOT}/search/models", tags=["models"])

    @router.get("")
    async def models(caller: Caller, everyone: bool = False) -> Answer[list[ModelShown]]:
        """Each model with what its index holds and lacks, and whom it answers; over everyone's files for operators."""
        states = await reembedding.states(_operators(caller, EVERYONE) if everyone else caller.user_id)
        return Answer(data=[ModelShown.model_validate(state) for state in states])

    @router.get("/comparison")
    async def comparison(
        caller: Caller, model_id: Annotated[ModelId, Query()], queries: Annotated[int, Query(ge=1, le=50)] = 20
    ) -> Answer[ComparisonShown]:
        """The caller's latest different queries, asked of the answering model and of another; nothing is remembered.

        Compared is what both have; refused while the other has nothing.
        """
        found = await comparing.compare(caller.user_id, model_id, queries)
        return Answer(data=ComparisonShown.model_validate(found))

    @router.post("/admit", openapi_extra=_body(Admission))
    async def admit(caller: Caller, request: Request) -> Answer[Admitted]:
        """Lets a model's vectors be written, even if it was dropped before; first of all steps."""
        _operators(caller, EVERYONE)
        wish = await read_model(request, Admission)
        number = await reembedding.admit(wish.model_id)
        return Answer(data=Admitted(model_id=wish.model_id, round=number))

    @router.post("/switch", openapi_extra=_body(Switch))
    async def switch(caller: Caller, request: Request) -> Answer[SwitchShown]:
        """Searches that begin from now on are answered by this model; refused while that would lose files."""
        wish = await read_model(request, Switch)
        done = await reembedding.switch(await _meant(database, caller, wish), wish.model_id, force=wish.force)
        return Answer(data=SwitchShown.model_validate(done))

    @router.post("/rollback", openapi_extra=_body(Return))
    async def rollback(caller: Caller, request: Request) -> Answer[SwitchShown]:
        """The model that answered before answers again."""
        wish = await read_model(request, Return)
        done = await reembedding.rollback(await _meant(database, caller, wish), force=wish.force)
        return Answer(data=SwitchShown.model_validate(done))

    @router.post("/drop", openapi_extra=_body(Removal))
    async def drop(caller: Caller, request: Request) -> Answer[DropShown]:
        """Removes vectors and passages of a model that answers nobody, some files in each call."""
        _operators(caller, EVERYONE)
        wish = await read_model(request, Removal)
        return Answer(data=DropShown.model_validate(await reembedding.drop(wish.model_id, wish.limit)))

    _ = (models, comparison, admit, switch, rollback, drop)
    return router


def _body(model: type[BaseModel]) -> dict[str, object]:
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _operators(caller: Principal, scope: str) -> str:
    if not caller.operator:
        raise ApiError(403, "forbidden", "Only operators may do this.")
    return scope


async def _meant(database: Database, caller: Principal, wish: Return) -> str:
    """Whose choice a wish is about. Raises ``ApiError`` 403 and 404."""
    if wish.everyone:
        return _operators(caller, EVERYONE)
    if wish.user_id is None or wish.user_id == caller.user_id:
        return caller.user_id
    user_id = _operators(caller, wish.user_id)
    async with database.transaction() as session:
        if await principals.by_user_id(session, user_id) is None:
            raise not_found("user")
    return user_id
