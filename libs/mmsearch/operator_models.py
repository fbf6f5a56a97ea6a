"""What the API answers to repairs and to a change of the embedding model, with every field: ``--json`` hands them on.

Times stay the text that the API wrote (ISO 8601), so that a program reads in ``--json`` what it would read there.
"""

from typing import Literal

from mmsearch.models import Answered


class DeadLetter(Answered):
    """A message that no one could process; it came here ``deaths`` times, and left again ``redrives`` times."""

    letter_id: str
    subscription: str
    topic: str | None
    upload_id: str | None
    user_id: str | None
    generation: int | None
    run: int | None
    code: str
    reason: str
    attempts: int
    status: str
    deaths: int
    redrives: int
    first_died_at: str
    died_at: str
    settled_at: str | None


class DeathCause(Answered):
    """How many letters died of one thing in one place."""

    subscription: str
    code: str
    letters: int
    oldest: str
    reason: str


class DeadLetters(Answered):
    """Some letters, oldest first, how many there are in all, and what they died of."""

    letters: tuple[DeadLetter, ...]
    total: int
    causes: tuple[DeathCause, ...]


class WholeLetter(Answered):
    """A letter with its message; ``data`` is text, or base64 where it is none."""

    letter: DeadLetter
    attributes: dict[str, str]
    data: str
    encoding: Literal["text", "base64"]


class Batch(Answered):
    """What one call has done; ``next``: where the following one begins, None at the end."""

    next: str | None


class PacedBatch(Batch):
    """``wait_s``: seconds to wait before the following call."""

    wait_s: int


class Redriven(PacedBatch):
    """Letters that were sent again, and by id why others were not."""

    redriven: tuple[str, ...]
    skipped: dict[str, str]
    remaining: int


class Discarded(Batch):
    """Letters that were let go, and by id why others were not."""

    discarded: tuple[str, ...]
    skipped: dict[str, str]
    remaining: int


class Reprocessed(PacedBatch):
    """Of ``matched`` uploads that were left to do those that run again, and by id why others do not."""

    matched: int
    started: tuple[str, ...]
    skipped: dict[str, str]


class Reembedded(PacedBatch):
    """How many files were handed to the embedder; ``matched`` is told by a dry run only."""

    announced: int
    matched: int | None


class FailureGroup(Answered):
    """Failed uploads with one cause, and what can be done."""

    code: str
    stage: str
    kind: str | None
    uploads: int
    users: int
    first: str
    latest: str
    example: str
    message: str
    advice: str
    retryable: bool


class Finding(Answered):
    """A difference between bucket and table; ``generation`` of the object, ``known_generation`` of the upload."""

    problem: str
    name: str
    upload_id: str | None
    generation: int | None
    known_generation: int | None


class ReconcilePlace(Answered):
    """Where the following call goes on."""

    phase: str
    after: str


class ReconcileStretch(Answered):
    """What one call found among so many names, and how many events it published."""

    examined: int
    findings: tuple[Finding, ...]
    announced: int
    next: ReconcilePlace | None


class UserState(Answered):
    """A user as operators see them."""

    user_id: str
    status: str


class ModelState(Answered):
    """What a model's index holds and lacks of the ``expected`` files, and whom the model answers.

    ``configured``: current, next, or None for a model without an encoder; ``users``: how many chose it for themselves.
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


class Admitted(Answered):
    """``round``: how often the model was dropped before."""

    round: int


class ComparedQuery(Answered):
    """One past query: the share of the first 20 files that both models find, and the first three names of each."""

    query: str
    overlap: float
    first_changed: bool
    before: tuple[str, ...]
    after: tuple[str, ...]


class Comparison(Answered):
    """The answering model beside another, over past queries; ``missing_files`` of the other are left out of both.

    For ``unanswered`` queries neither finds anything; ``overlap`` leaves them out.
    """

    model_id: str
    other_model_id: str
    expected: int
    missing_files: int
    overlap: float
    unanswered: int
    first_changed: int
    queries: tuple[ComparedQuery, ...]


class Switched(Answered):
    """The models that answer now and did before; ``missing_files`` are found by their words alone."""

    model_id: str
    previous_model_id: str
    missing_files: int


class Dropped(Answered):
    """How many files one call removed; call again after ``wait_s`` seconds while any remain."""

    removed_files: int
    remaining: int
    wait_s: int
