"""From what a user's languages make of a query's words to what of it tells too little to be looked for. Pure."""

from collections.abc import Collection, Sequence

_SURE = 2
_TELLING = 3
_SHARE = (2, 5)


def stop_words(words: Sequence[str], by_language: Sequence[Collection[str]]) -> frozenset[str]:
    """Which of a query's words to leave out, given those that each of the user's languages calls stop words.

    A word may be one in one language and tell much in another: "war" in German, "hat", "bin". So a query is taken to be
    in the language that calls most of its words so; where several call as many, only what all of them call so is left
    out. A single one is not enough to tell by, unless it stands between others as "récolte du raisin" has it: what is
    asked for stands first or last ("world war", "red hat", "war crimes").
    """
    most = max(map(len, by_language), default=0)
    if not most:
        return frozenset()
    likely = _common([called for called in by_language if len(called) == most])
    return likely if most >= _SURE else _common(by_language) | (likely & frozenset(words[1:-1]))


def keeps_enough(stem: str, word: str) -> bool:
    """False for a stem so short that it is a word of many languages: "e", which Turkish makes of "été".

    Three letters of a word are enough, or two fifths of it. Half of it would cost one Basque word in five, one Turkish
    in ten, and what they are rightly found by ("kép" of "képünkön"). This costs about one word in a hundred of a
    language (of Nepali three), nearly all of them cut too far ("or" of Dutch "geordende"), and no short ones ("мо" of
    "моего", whatever the script).
    """
    kept, whole = _SHARE
    return len(stem) >= _TELLING or whole * len(stem) >= kept * len(word)


def _common(groups: Sequence[Collection[str]]) -> frozenset[str]:
    return frozenset.intersection(*map(frozenset, groups))
