"""The summary is the file's own sentences, in order, from all of it, and never a heading or a table."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.backends.local.summary import MOST_SENTENCES, reads_like_a_sentence, summarize
from analyzer.sampling import spread
from analyzer.words import content_words, sentences

FILLER = [f"The weather on day {n} was neither good nor bad for anyone who lived there." for n in ("one", "two", "six")]


def test_picks_what_the_whole_file_is_about_even_from_its_end() -> None:
    about = [
        "Honey bees decide on a new nest site by dancing for it.",
        "Scout bees that find a better nest site dance longer for it.",
        "In the end all bees dance for one nest site and the swarm flies there.",
    ]
    pages = [" ".join(FILLER), about[0], "Nothing of note.", " ".join([about[1], about[2]])]
    chosen = summarize(pages)
    assert set(about) & set(chosen)
    assert about[2] in chosen
    assert 2 <= len(chosen) <= MOST_SENTENCES


def test_sentences_come_in_the_order_of_the_file_and_once() -> None:
    text = "Bees dance for a nest site. " * 5 + "Bees leave the old nest in spring. The swarm of bees rests on a tree."
    chosen = summarize([text])
    assert len(set(chosen)) == len(chosen)
    places = [text.index(sentence) for sentence in chosen]
    assert places == sorted(places)


def test_nothing_that_reads_like_a_sentence_gives_no_summary() -> None:
    assert summarize(["CONTENTS\n1 | 2 | 3\n4 | 5 | 6", "total 12.00 EUR", ""]) == ()
    assert summarize([]) == ()


def test_headings_tables_names_and_halves_are_no_sentences() -> None:
    for text in (
        "COMPREHENSIVE MEDICAL REPORT AND MORE",
        "12.50 13.00 14.75 | 88 | 99 | 101 | 12.",
        "Wei Zhang, Yao Li, Yi Yu, Ying He, Yuan Ou, Yang Xu.",
        "and so the rest of the story was never told.",
        "Short one.",
        "This one has no end and might go on on the next page",
    ):
        assert not reads_like_a_sentence(text), text
    assert reads_like_a_sentence("This report covers the second quarter of the year.")
    assert reads_like_a_sentence("吾輩は猫である。名前はまだ無いがいつか付く。")


def test_sentences_end_where_readers_think_they_do() -> None:
    text = "Dr. Warren saw him. It rose by 3.5 % (e.g. in May)! Was it “real”? NOTES\n• One\n• Two\n1. Three\n\nFour"
    assert list(sentences(text)) == [
        "Dr. Warren saw him.",
        "It rose by 3.5 % (e.g. in May)!",
        "Was it “real”?",
        "NOTES",
        "• One",
        "• Two",
        "1. Three",
        "Four",
    ]
    assert list(sentences("猫が寝る。犬が走る。")) == ["猫が寝る。", "犬が走る。"]


def test_abbreviations_and_the_number_of_an_item_go_on() -> None:
    assert list(sentences("1. Mr. A. B. Smith (cf. No. 7) left.  He saw p. 12. Then he slept.")) == [
        "1. Mr. A. B. Smith (cf.",
        "No. 7) left.",
        "He saw p. 12.",
        "Then he slept.",
    ]


@pytest.mark.parametrize(
    ("text", "count"), [("A. " * 350_000, 1), ("1." + "\n " * 500_000 + "- One", 2), ("." * 1_000_000, 1)]
)
def test_a_megabyte_of_anything_is_read_once(text: str, count: int) -> None:
    """What looks back at what it has read, or ahead over the same blanks again, does not end within the test's time."""
    assert len(list(sentences(text))) == count
    assert len(summarize([text])) <= count


def test_function_words_do_not_count() -> None:
    assert list(content_words("The cat and der Hund sont in the Garden")) == ["cat", "hund", "garden"]
    assert list(content_words("検索")) == ["検索"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=300), max_size=20))
def test_any_text_has_a_summary_of_its_own_words(texts: list[str]) -> None:
    whole = " ".join(" ".join(texts).split())
    for sentence in summarize(texts):
        assert sentence in whole or any(sentence in " ".join(text.split()) for text in texts)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 30_000), max_size=8), st.integers(4000, 60_000))
def test_a_sample_is_bounded_and_covers_start_and_end(lengths: list[int], limit: int) -> None:
    texts = [str(i) * length for i, length in enumerate(lengths)]
    sample = spread(texts, limit)
    total = sum(lengths)
    if total <= limit:
        assert "".join(sample) == "".join(texts)
    else:
        assert sum(map(len, sample)) <= limit + 4000 * len(texts)
        assert sample[0][0] == next(text for text in texts if text)[0]


def test_a_sample_of_a_long_text_reaches_its_end() -> None:
    text = "".join(chr(0x4E00 + i // 4000) for i in range(4000 * 300))
    sample = spread([text], 400_000)
    assert len(sample) == 100
    assert ord(sample[-1][0]) - 0x4E00 >= 296
