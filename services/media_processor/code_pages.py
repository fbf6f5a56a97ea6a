"""Tells 8-bit code pages of Latin letters apart: the right one gives letters and words of a language written in it.

Their bytes are letters in all of them, so that statistics over bytes take "été" for Baltic, Polish "ż" for "ŋ". Pure.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

_LEAST_FIT = 0.8
"""Share of the letters beyond ASCII that must be letters of the language; the rest are names and quotations."""

_SURE_FIT = 0.9
_SURE_WORDS = 0.1
"""Shares of letters and of common words that outweigh a guess that is no Latin page at all."""

_WRITTEN = re.compile(rb"[A-Za-z\x80-\xff]+")
_DASH_OR_SPACE = re.compile("[\u00a0\u2013\u2014\u2026]")
# The second part begins where a run does: from within a run of a million it would look to its end each time.
_EDGES = re.compile(r"^[^\w\x80-\x9f\ufffd]+|(?<=[\w\x80-\x9f\ufffd])[^\w\x80-\x9f\ufffd]++$")
_PART_OF_WORDS = frozenset("\u2019\u00ad")

_PAGES: tuple[tuple[str, str], ...] = (
    ("cp1252", "en fr de es pt it ca nl sv da fi is"),
    ("cp1250", "pl cs sk hr sl hu ro"),
    ("iso8859_2", "pl cs sk hr sl hu ro"),
    ("cp1254", "tr"),
    ("cp1257", "lt lv et"),
    ("iso8859_15", "fr fi"),
    ("cp1258", "vi"),
)
"""Code pages with the languages written in them, those that are met most first."""

_OTHER_LATIN_PAGES = frozenset(
    {"latin_1", "hp_roman8", "mac_roman", "mac_latin2", "mac_iceland", "mac_turkish"}
    | {f"iso8859_{part}" for part in (3, 4, 9, 10, 13, 14, 16)}
    | {f"cp{number}" for number in (437, 775, 850, 852, 857, 858, 860, 861, 863, 865)}
)
"""Latin code pages that are only read if the statistics say so, and none of the above fits as well."""


@dataclass(frozen=True)
class _Language:
    """The letters of a language beyond ASCII in lower case, and some of its most common words."""

    letters: frozenset[str]
    words: frozenset[str]


def _language(letters: str, words: str) -> _Language:
    return _Language(frozenset(letters), frozenset(words.split()))


_LANGUAGES: Mapping[str, _Language] = {
    "en": _language(
        "éèêëïöüñçàâæœ", "the of and to in is that it was for on are as with his they be at this have from by"
    ),
    "fr": _language(
        "àâæçéèêëîïôœùûüÿ",
        "le la les de des du et en un une est que qui dans pour pas il elle nous vous je ce cette sur au aux avec à "
        "sont mais par plus ne se son sa ses été être mon ma où",
    ),
    "de": _language(
        "äöüß",
        "der die das und in den von zu mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat "
        "dass sie nach bei um am sind noch wie über einen so zum war haben nur oder ich wir zur sehr viele vielen",
    ),
    "es": _language(
        "áéíñóúüªº",
        "de la que el en y a los se del las un por con no una su para es al lo como más pero sus le ya o este sí "
        "porque esta entre cuando muy sin sobre también me hasta hay donde año señor está",
    ),
    "pt": _language(
        "áâãàçéêíóôõúüªº",
        "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua "
        "ou ser quando muito há nos já está eu também só pelo pela até isso são",
    ),
    "it": _language(
        "àèéìíîòóù",
        "di e il la che in un è per una sono non con da si le dei del della al i ma lo come alla anche più gli ha nel "
        "se mi ne ci o questo ho perché cosa così o",
    ),
    "ca": _language("àçèéíïóòúü·", "de la el i que a en els les un per del una és amb no es al ha d l com més són va"),
    "nl": _language(
        "éèëïöüáó", "de het een van en in is dat op te zijn met voor niet die aan er om ook als bij maar dan"
    ),
    "sv": _language(
        "åäöéü",
        "och i att det som en på är av för med den till inte om ett har de jag var vi så men från kan man nu när vid "
        "måste någon",
    ),
    "da": _language(
        "æøåéöüäô",
        "og i at det er en til på af for med den ikke de har jeg som var vi et der han så om fra men kan sig også når "
        "du skal være hvor eller å ble som",
    ),
    "fi": _language(
        "äöåšž",
        "ja on ei oli hän se että mutta kun ole joka niin myös jos ovat minä en sen kuin olen vielä jo tai hänen mitä "
        "siitä tämä",
    ),
    "is": _language(
        "áæéíðóöúýþ", "og að í er á það sem var til um við með en ekki hann fyrir af hún ég eru því þá mín þarf út"
    ),
    "pl": _language(
        "ąćęłńóśźż",
        "i w na z do że się nie jest to o za od po jak przez ale dla czy tak co już tylko był jego oraz ma są być "
        "który będzie może cię przy ich jej",
    ),
    "cs": _language(
        "áčďéěíňóřšťúůýž",
        "a v se na je že s z do o i to k za jsem ve by pro jako si po od ale tak jsou jsme už co nebo byl jeho ze má "
        "prosím při podle když jen který které",
    ),
    "sk": _language(
        "áäčďéíĺľňóôŕšťúýž",
        "a v sa na je že s z do o i to k za som vo by pre ako si po od ale tak sú sme už čo alebo bol jeho zo má keď "
        "prosím pri podľa len ktorý ktoré aj",
    ),
    "hr": _language(
        "čćđšž",
        "i u je na se da za od su s što ne o to iz li koji a kao sam ili po ali bi će do biti smo te može samo kod već",
    ),
    "sl": _language(
        "čšžćđ", "in je v na se da za so z s ki ne po pa kot bi od to do ali iz tudi kar sem še ni bil lahko že"
    ),
    "hu": _language(
        "áéíóöőúüű",
        "a az és hogy nem is egy ez ha van volt de csak meg már mint még el ki azt kell vagy le sem jó be itt mert "
        "minden nagy pedig én kérem",
    ),
    "ro": _language(
        "ăâîşţșț",
        "de şi în a la cu o nu că pe un se din mai este să care o pentru au am i sau ce are fost lui sunt prin după "
        "dar ca până vă două",
    ),
    "tr": _language(
        "çğıöşüâîû\u0307",
        "ve bir bu da de için ile çok ne o en daha kadar gibi var olarak ama sonra olan değil ben mi her iyi ki ya yok "
        "göre çünkü",
    ),
    "lt": _language(
        "ąčęėįšųūž",
        "ir į kad iš su yra tai kaip o bet jis ar už apie nuo buvo dar per tik nes prie jau jo ne labai iki po",
    ),
    "lv": _language(
        "āčēģīķļņšūž", "un ir uz ar no kas par ka tas es bet vai arī nav kā to pie viņš līdz bija tika jau pēc ja"
    ),
    "vi": _language(
        "ăâđêôơưàáãèéìíòóùúý\u0300\u0301\u0303\u0309\u0323", "và là cho trong không năm trên khi ra theo sau ta anh hay"
    ),
    "et": _language(
        "äöõüšž", "ja on ei see et oli kui ta ka aga mis ning oma ma ole siis nii seda veel kes või välja sest"
    ),
}


def best_page(head: bytes, guess: str | None) -> str | None:
    """Returns the Latin code page of text that is no Unicode, or the ``guess`` if none makes a language of it."""
    sample = _Sample.of(head)
    if not sample.words:
        return guess
    is_latin = guess in _OTHER_LATIN_PAGES or any(guess == page for page, _ in _PAGES)
    read = {page: sample.reading(page, languages) for page, languages in _PAGES}
    if guess is not None and is_latin and guess not in read:
        read[guess] = sample.reading(guess, " ".join(_LANGUAGES))
    page, best = max(read.items(), key=lambda one: one[1].worth)
    if is_latin:
        return page if best.fit >= _LEAST_FIT else guess
    return page if best.fit >= _SURE_FIT and best.common >= _SURE_WORDS else guess


@dataclass(frozen=True)
class _Reading:
    """What a text is in a code page: the shares of its letters beyond ASCII and of its words that are a language's."""

    fit: float
    common: float

    @property
    def worth(self) -> float:
        return self.fit + self.common


@dataclass(frozen=True)
class _Sample:
    """Words of a text as they are written, with how often."""

    words: Mapping[bytes, int]

    @classmethod
    def of(cls, head: bytes) -> Self:
        return cls(Counter(_WRITTEN.findall(head)))

    @cached_property
    def _joined(self) -> bytes:
        return b"\n".join(self.words)

    def reading(self, page: str, languages: str) -> _Reading:
        """Returns the best reading in one of the languages."""
        letters: Counter[str] = Counter()
        found: Counter[str] = Counter()
        for written, count in zip(self._joined.decode(page, "replace").split("\n"), self.words.values(), strict=True):
            for word in _DASH_OR_SPACE.sub(" ", _EDGES.sub("", written.lower())).split():
                found[word] += count
                if not word.isascii():
                    for char in word:
                        if char > "\x7f" and char not in _PART_OF_WORDS:
                            letters[char] += count
        every, all_words = letters.total() or 1, found.total() or 1
        return max(
            (
                _Reading(
                    1 - sum(n for char, n in letters.items() if char not in language.letters) / every,
                    sum(n for word, n in found.items() if word in language.words) / all_words,
                )
                for language in map(_LANGUAGES.__getitem__, languages.split())
            ),
            key=lambda reading: reading.worth,
        )
