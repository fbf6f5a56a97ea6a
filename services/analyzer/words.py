"""Turns text into the words and sentences that count: no function words, sentence ends in any script."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_CJK = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]+|[^\W\d_](?:[\w'\u2019-]*\w)?")
_CJK_RUN = re.compile(rf"[{_CJK}]+")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”\u2019)\]]*\s+(?=[\"'“\u2018(\[]?[^\Wa-z_])|(?<=[。\uff01\uff1f])|\n\s*\n")
_ITEM = re.compile(r"\n(?=[^\S\n]*(?:[•·▪‣*–-]|\d{1,2}[.)])\s)")  # noqa: RUF001
_HEADING = re.compile(r"(?m)^(?=.*[A-Z]{3})([A-Z0-9 &/,:()'-]{4,60})$")
_NUMBER = re.compile(r"\d{1,2}[.)]")
_ABBREVIATED = re.compile(
    r"(?:^|[\s(])(?:[^\W\d_]|e\.g|i\.e|vs|al|[Dd]r|[Mm]rs?|[Pp]rof|[Nn]o|[Nn]r|[Ff]ig|ca|bzw|z\.B|St)\.$"
)
_LONGEST_ABBREVIATION = 6
"""Characters, with the one before it."""

_LINE_BREAK = re.compile(r"\s+")

_FUNCTION_WORDS = frozenset(
    """
    a about above after again against all also although always am among an and another any are as at be became because
    been before being below between both but by can cannot could did do does doing done down during each either else
    even ever every few first for from further get given had has have having he her here hers him his how however i if
    in into is it its itself just last least less let like made make many may me might more most much must my neither
    never new no non nor not now of off often on once one only onto or other others our out over own per rather said
    same second see several shall she should since so some still such take than that the their them then there these
    they this those three through thus to together too two under until up upon us use used using very via was we well
    were what when where whether which while who whom whose why will with within without would yet you your

    aber alle als also am an auch auf aus bei bin bis bist da damit dann das dass dein dem den der des die dies diese
    dieser dieses doch du durch ein eine einem einen einer eines er es für gegen habe haben hat hatte ich ihr ihre im
    ist ja kann kein keine können man mehr mein mit muss nach nicht noch nur ob oder ohne schon sehr sein seine sich sie
    sind so über um und uns unter vom von vor war waren was wenn wer werden wie wir wird wurde zu zum zur zwischen

    au aux avec c'est ce ces cet cette comme d'un d'une dans de des deux donc du elle elles en est et être eu fait il
    ils je la le les leur leurs lui mais même ne nous ont ou où par pas peut plus pour qu'il que qui sa sans se ses si
    son sont sous sur toute très tous tout un une vers vous y à été

    al algo como con cuando de del desde donde el ella ellos entre era es esta este esto está están ha hay la las lo los
    más me mi muy no nos o otra otro para pero por porque que qué se según si sin sobre son su sus también tiene todo
    un una uno y ya

    alla che chi ci come con cui da dai dal dalla degli dei del della delle di e gli ha hanno i il in io la le lo ma nel
    nella non per più quando questa questo se si sono su sul sulla tra un una è

    ao aos as com da das dele do dos ela ele em foi isso mais mas na nas não no nos o os ou para pela pelo por que sem
    seu sua são também um uma

    dat de deze die dit door een en er het hij ik is maar met naar niet nog of om ook op te tot uit van voor was wat we
    werd zal ze zich zijn
    """.split()  # noqa: SIM905 - 300 quoted words are not readable
)


class PlacedWord(NamedTuple):
    """A word as it counts, and from where to where it stands in its text."""

    word: str
    start: int
    end: int


def content_words(text: str) -> Iterator[str]:
    """Lower-case words of at least three letters that are not function words; Chinese and Japanese as letter pairs."""
    return (placed.word for placed in placed_words(text))


def placed_words(text: str) -> Iterator[PlacedWord]:
    """The same words with their places; those of letter pairs overlap."""
    for found in _WORD.finditer(text):
        word = unicodedata.normalize("NFC", found.group()).casefold()
        start, end = found.span()
        if _CJK_RUN.match(word):
            last = len(word) - 2
            yield from (PlacedWord(word[i : i + 2], start + i, end - last + i) for i in range(last + 1))
        elif len(word) > 2 and word not in _FUNCTION_WORDS:
            yield PlacedWord(word, start, end)


def sentences(text: str) -> Iterator[str]:
    """Sentences with their white space made single; empty lines, list items and headings in capitals end one too."""
    for block in _ITEM.split(_HEADING.sub(r"\n\1\n", text)):
        begun: list[str] = []
        for part in _SENTENCE_END.split(block):
            if part.strip():
                begun.append(_LINE_BREAK.sub(" ", part.strip()))
            if begun and not _goes_on(begun):
                yield " ".join(begun)
                begun.clear()
        if begun:
            yield " ".join(begun)


def _goes_on(begun: Sequence[str]) -> bool:
    """True after an abbreviation, and after a number that everything begins with."""
    last = begun[-1]
    if _ABBREVIATED.search(last, len(last) - _LONGEST_ABBREVIATION):
        return True
    return len(begun) == 1 and _NUMBER.fullmatch(last) is not None
