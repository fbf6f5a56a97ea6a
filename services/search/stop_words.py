# ruff: noqa: RUF001 - letters of many languages
"""Decides which words of a query are stop words, from what each of the user's languages calls one. Pure."""

from collections.abc import Collection, Mapping, Sequence

from search.folding import fold

_LEAST_FOR_A_LANGUAGE = 2
"""Stop words of one language in a query from which on the query is taken to be in that language."""


def _folded(words: str) -> frozenset[str]:
    return frozenset(map(fold, words.split()))


LACKING: Mapping[str, frozenset[str]] = {
    "romanian": _folded(
        "a al ai ale am are au acest această ca care când că ce cine cum cu cât câte de dar din după este fi fost în "
        "la lui mai nu o până pe pentru prin sau se sunt să și un unde era"
    ),
}
"""Stop words of text search configurations for which Postgres has none."""

# Words of one letter are left out, and those that say much in English: "ale", "pod".
WITHOUT_STEMMER: tuple[frozenset[str], ...] = (
    _folded(  # Polish
        "na do że się nie jest to od po jak przez dla czy co już był była było jego oraz są być który która które kto "
        "kiedy gdzie ile przy ich jej ze mnie moja mój tego tym jako"
    ),
    _folded(  # Czech
        "na že je se do to ve za jsem jsou pro jako po od co kdo kdy kde jak kolik nebo byl byla bylo jeho ze při "
        "podle který která které už mě můj moje této tento když"
    ),
    _folded(  # Ukrainian
        "на не що це до за як та про від для але або чи де коли хто яка який яке які скільки чому вже був була було "
        "його її їх мій моя моє при під над ще так"
    ),
)
"""Stop words of languages for which Postgres has neither a stemmer nor stop words."""

# No other language that a user may have says much by these: "world war" is German, but nothing else is Greek.
_OF_OWN_SCRIPTS = (
    _folded(  # Greek
        "ο η το οι τα του της των τον την τους τις ένα ένας μια μία και ή να που πως ποιος ποια ποιο πού πότε πόσο "
        "πόσα τι για με σε στο στη στην στον από είναι ήταν έχει θα δεν μου σου μας"
    )
    | _folded(  # Arabic
        "من في على إلى عن مع هذا هذه ذلك تلك التي الذي الذين هو هي هم نحن أنا ما ماذا متى أين كيف كم لماذا هل أن إن "
        "كان كانت قد لا لم لن ثم أو بعد قبل بين عند أي"
    )
    | _folded(  # Hindi
        "का की के को में से पर ने और है हैं था थी थे यह वह ये वे जो तो भी ही कि क्या कौन कब कहाँ कैसे कितना कितने "
        "कितनी लिए एक या नहीं हो इस उस अपने तक मेरा मेरी मेरे"
    )
    | _folded(  # Hebrew
        "של את על מן אני אתה הוא היא הם אנחנו זה זאת זו אלה מה מי מתי איפה איך כמה למה האם כי או גם רק לא יש אין היה "
        "הייתה אשר כל אבל בין לפני אחרי"
    )
)

_MIN_STEM = 3
_MIN_SHARE_OF_WORD = (2, 5)


def stop_words(
    words: Sequence[str], by_language: Sequence[Collection[str]], others: Sequence[Collection[str]] = ()
) -> frozenset[str]:
    """Returns the words of a query to leave out; ``by_language`` are those that each of the user's languages calls stop
    words, ``others`` those that languages call so that the user may have.

    A stop word of one language may say much in another: German "war", "hat", "bin". So a query is taken to be in the
    language with the most stop words in it; if several have as many, only those common to all are left out. One stop
    word is not enough to tell the language, unless it stands between others as in "récolte du raisin": what a query is
    about stands first or last ("world war", "red hat", "war crimes"). Greek, Arabic, Hindi and Hebrew are told by the
    script of one.
    """
    sure = _OF_OWN_SCRIPTS.intersection(words)
    most = max(map(len, (*by_language, *others)), default=0)
    if not most:
        return sure
    likely = _common([called for called in (*by_language, *others) if len(called) == most])
    if most >= _LEAST_FOR_A_LANGUAGE:
        return sure | likely
    everywhere: frozenset[str] = _common(by_language) if by_language else frozenset()
    return sure | everywhere | (likely & frozenset(words[1:-1]))


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
