"""Stop words are those of the language a query is in; stems that are hardly a word are not looked for."""

import pytest

from search.folding import fold, words
from search.stop_words import LACKING, WITHOUT_STEMMER, keeps_enough, stop_words

ENGLISH = {"was", "the", "in", "of", "and", "what", "is", "for"}
GERMAN = {"was", "war", "in", "hat", "bin", "der", "die", "das", "und", "nicht", "du"}
FRENCH = {"la", "les", "des", "et", "dans", "du"}
PORTUGUESE = {"for", "de"}


def left_of(text, *languages):
    words = text.split()
    stopped = stop_words(words, [{word for word in words if word in language} for language in languages])
    return " ".join(word for word in words if word not in stopped)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("world war", "world war"),
        ("red hat", "red hat"),
        ("usr local bin", "usr local bin"),
        ("war crimes", "war crimes"),
        ("the end of the war", "end war"),
        ("what is the hat in the bin", "hat bin"),
    ],
)
def test_what_another_language_calls_a_stop_word_stays_in_an_english_query(text, left):
    assert left_of(text, ENGLISH, GERMAN) == left
    assert left_of(text, ENGLISH, FRENCH, GERMAN) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [("der hund und die katze", "hund katze"), ("was hat der hund", "hund"), ("der hund", "der hund")],
)
def test_a_query_is_in_the_language_that_calls_most_of_its_words_so_if_they_are_two(text, left):
    assert left_of(text, ENGLISH, GERMAN) == left
    assert left_of(text, FRENCH, GERMAN, ENGLISH) == left


def test_a_single_one_is_left_out_where_it_stands_between_others():
    assert left_of("waschmaschine pumpt nicht ab", ENGLISH, GERMAN) == "waschmaschine pumpt ab"
    assert left_of("recolte du raisin", ENGLISH, FRENCH, PORTUGUESE) == "recolte raisin"
    assert left_of("recolte du raisin", ENGLISH, FRENCH, GERMAN) == "recolte raisin"
    assert left_of("lunch for children", ENGLISH, PORTUGUESE, FRENCH) == "lunch children"
    assert left_of("children war for peace", ENGLISH, GERMAN) == "children war for peace"


def test_of_two_languages_that_call_as_many_so_only_what_both_do_is_left_out():
    assert left_of("was war in the house", ENGLISH, GERMAN) == "war the house"
    assert left_of("was war in the house", ENGLISH, FRENCH, GERMAN) == "war the house"
    assert left_of("the house la maison et of", ENGLISH, FRENCH) == "the house la maison et of"


def test_of_a_query_that_cannot_be_told_only_what_is_one_everywhere():
    assert left_of("was house", ENGLISH, GERMAN) == "house"
    assert left_of("was house", ENGLISH, GERMAN, FRENCH) == "was house"


def test_with_one_language_all_its_stop_words_are_left_out():
    assert left_of("the house", ENGLISH) == "house"
    assert left_of("the house of what", ENGLISH) == "house"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("πόσο κοστίζει το ελαιόλαδο", "κοστιζει ελαιολαδο"),
        ("كيف أحضر التبولة", "أحضر التبولة"),
        ("मसाला चाय कैसे बनाते हैं", "मसाला चाय बनाते"),
        ("כמה עולה שכר הדירה של", "עולה שכר הדירה"),
    ],
)
def test_a_script_of_its_own_tells_the_language_by_one(text, left):
    assert left_of(fold(text), ENGLISH, GERMAN) == left_of(fold(text), FRENCH) == fold(left)


def left_beside(text, *languages):
    words = fold(text).split()
    called = [[word for word in words if word in language] for language in languages]
    stopped = stop_words(words, called, [its.intersection(words) for its in WITHOUT_STEMMER])
    return " ".join(word for word in words if word not in stopped)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("jak się robi pierogi", "robi pierogi"),
        ("kdo je na schůzi", "schuzi"),
        ("скільки коштує та оренда", "коштує оренда"),
        ("umowa na najem", "umowa najem"),
        ("what to do in the house", "to do house"),
        ("jazyk co", "jazyk co"),
        ("the house", "the house"),
    ],
)
def test_languages_without_a_stemmer_have_stop_words_for_who_has_files_in_one(text, left):
    assert left_beside(text, ENGLISH, GERMAN) == fold(left)


def test_every_list_is_of_words_as_queries_have_them():
    for listed in (*WITHOUT_STEMMER, *LACKING.values()):
        assert 35 <= len(listed) <= 45
        assert all(words(word) == (word,) for word in listed)


def test_without_any_none_are():
    assert stop_words(["the", "house"], []) == frozenset()
    assert stop_words([], [set(), set()]) == frozenset()


@pytest.mark.parametrize(
    ("word", "stem"),
    [("моего", "мо"), ("kepunkon", "kep"), ("isten", "is"), ("lesen", "les"), ("ab", "a"), ("जाए", "जा"), ("a", "a")],
)
def test_three_letters_or_two_fifths_of_a_word_are_enough(word, stem):
    assert keeps_enough(stem, word)


@pytest.mark.parametrize(("word", "stem"), [("ete", "e"), ("geordende", "or"), ("bankban", "ba"), ("जाएगा", "ज")])
def test_less_is_a_word_of_too_many_languages(word, stem):
    assert not keeps_enough(stem, word)
