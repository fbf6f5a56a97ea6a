"""Decides which words of a query are stop words, from what each of the user's languages calls one. Pure."""

from collections.abc import Collection, Sequence

_LEAST_FOR_A_LANGUAGE = 2
"""Stop words of one language in a query from which on the query is taken to be in that language."""

_MIN_STEM = 3
_MIN_SHARE_OF_WORD = (2, 5)


def stop_words(words: Sequence[str], by_language: Sequence[Collection[str]]) -> frozenset[str]:
    """Returns the words of a query to leave out; ``by_language`` are those that each of the user's languages calls stop
    words.

    A stop word of one language may say much in another: German "war", "hat", "bin". So a query is taken to be in the
    language with the most stop words in it; if several have as many, only those common to all are left out. One stop
    word is not enough to tell the language, unless it stands between others as in "récolte du raisin": what a query is
    about stands first or last ("world war", "red hat", "war crimes").
    """
    most = max(map(len, by_language), default=0)
    if not most:
        return frozenset()
    likely = _common([called for called in by_language if len(called) == most])
    return likely if most >= _LEAST_FOR_A_LANGUAGE else _common(by_language) | (likely & frozenset(words[1:-1]))


def keeps_enough(stem: str, word: str) -> bool:
    """False for a stem so short that it is a word of many languages: "e", which the Turkish stemmer makes of "été".

    Three letters of a word are enough, or two fifths of it. Requiring half would lose the right stems of one Basque
    word in five and one Turkish in ten ("kép" of "képünkön"). Two fifths lose about one word in a hundred of a language
    (of Nepali three), nearly all of them cut too far ("or" of Dutch "geordende"), and no short ones ("мо" of "моего",
    whatever the script).
    """
    kept, whole = _MIN_SHARE_OF_WORD
    return len(stem) >= _MIN_STEM or whole * len(stem) >= kept * len(word)


def _common(groups: Sequence[Collection[str]]) -> frozenset[str]:
    return frozenset.intersection(*map(frozenset, groups))
