"""Finds words of a user's contents that are spelt almost like others, by looking up every such spelling in the index.

So no list of all words has to be kept, which every file that comes or goes would have to change.
"""

from collections.abc import Collection

from search.relaxation import one_letter_away
from search.store.statements import Transaction, statement

_MOST_WORDS = 4
"""Words of a query that are looked up, the longest first: each has 300 to 900 spellings one letter away."""

_MOST_PASSAGES = 50
"""Passages of each scan whose words are compared: the most frequent of several spellings is most likely among them."""

_FEW_PASSAGES = 100
"""Passages of a user up to which the words of all are compared: that takes less than looking up each spelling."""

_SCANS = 32
"""Scans that share the spellings: GIN compares each word of a condition with each other (docs/decisions/0047)."""

# A scan of its own sets app.sought itself, as `filtering` does for phrases; an empty condition would match everything.
_SCAN = """(SELECT w.upload_id, w.words FROM words w WHERE w.user_id = :user_id
    AND (SELECT set_config('app.sample', '', true)
        || set_config('app.sought', (CAST(:conditions AS text[]))[{place}], true)) <> '' LIMIT :most)"""

_ALIKE = f"""WITH matching AS MATERIALIZED (
    {" UNION ALL ".join(_SCAN.format(place=place + 1) for place in range(_SCANS))})
SELECT k.word, count(DISTINCT m.upload_id) AS files
FROM matching m, unnest(tsvector_to_array(m.words)) AS has(word)
JOIN unnest(CAST(:spellings AS text[])) AS k(word) USING (word) GROUP BY k.word"""  # noqa: S608 - constants only


async def alike(transaction: Transaction, user_id: str, words: Collection[str], passages: int) -> dict[str, int]:
    """Returns words that some of the user's files hold, and in how many of the files compared: those of ``words`` and
    those one letter away. ``passages``: how many the user has.
    """
    longest = sorted(words, key=lambda word: (-len(word), word))[:_MOST_WORDS]
    spellings = sorted(set(longest).union(*map(one_letter_away, longest)))
    if passages <= _FEW_PASSAGES:
        conditions, most = [_every_row_of(user_id)], 2 * _FEW_PASSAGES  # names and summaries have rows of their own
    else:
        groups = (spellings[place::_SCANS] for place in range(_SCANS))
        conditions, most = [" | ".join(f"'{spelling}'" for spelling in group) for group in groups], _MOST_PASSAGES
    values = {"user_id": user_id, "spellings": spellings, "conditions": conditions, "most": most}
    return {row.word: row.files for row in await transaction.execute(statement(_ALIKE), values)}


def _every_row_of(user_id: str) -> str:
    """Returns the condition that all rows of a user meet (migration 0008)."""
    quoted = user_id.replace("\\", "\\\\").replace("'", "''")
    return f"'={quoted}'"
