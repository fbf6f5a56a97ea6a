"""What is indexed: words in their order, runs of characters by pairs, and what is written in parts once more as one."""

import subprocess
import sys

import pytest

from search.word_index import index_text, name_text


def test_unspaced_scripts_are_indexed_by_pairs_and_their_last_character():
    assert index_text("東京都 tower") == "東京 京都 都 tower"
    assert index_text("東京tower") == "東京 京 tower"


def test_what_is_written_in_parts_follows_as_one_word():
    assert index_text("An E-mail of 1,000,000 words.") == "an e mail of 1 000 000 words email 1000000"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the ad\u2010\n       dress, fur\u2010\nther", "the address further"),
        ("infor\u00ac \nmation", "information"),
        ("Stra\u00dfen\u2010\n\u00fcbergang", "strassenubergang"),
        ("infor-\nmation", "infor mation information"),
        ("read\u2010only", "read only readonly"),
        ("Mercedes\u2010\nBenz", "mercedes benz"),
        ("not \u00ac\nthis, 12\u2010\nfold", "not this 12 fold"),
    ],
)
def test_a_word_broken_by_a_typesetter_is_one_word(text, words):
    assert index_text(text) == words


def test_emoji_follow_as_words_of_their_own():
    assert index_text("Happy \U0001f382 birthday") == "happy birthday zqemoji127874"
    assert name_text("party \U0001f389.txt") == "party txt zqemoji127881"


@pytest.mark.parametrize(
    ("filename", "found"),
    [
        ("DeepSeek_R1.pdf", {"deepseek", "r1", "deep", "seek", "pdf"}),
        ("holiday-photo2019.JPG", {"holiday", "photo2019", "photo", "2019", "jpg"}),
        ("HTTPServerNotes.md", {"httpservernotes", "http", "server", "notes"}),
        ("Überweisung_März.pdf", {"uberweisung", "marz", "pdf"}),
        ("INV_2024_00123.pdf", {"inv", "2024", "00123", "inv202400123"}),
        ("旅行.png", {"旅行", "行", "png"}),
    ],
)
def test_file_names_give_their_words_as_spelt_and_parted(filename, found):
    assert found <= set(name_text(filename).split())


MOST_CPU_S = 20
"""A hundred times what it takes; a word that is looked through again from each of its letters takes minutes."""

INDEXED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, ({most}, {most}))
from search.word_index import index_text
index_text(sys.argv[1] * (100_000 // len(sys.argv[1])))
"""


@pytest.mark.parametrize(
    "run",
    ["b", "7", "a1", "\u00e9", "\u732b", "a-", "a.", "1 ", "ab\n", "(", "e\u0301", "\u00ad", "ab\u2010\n", "ab\u2010 "],
)
def test_a_word_of_a_hundred_thousand_letters_is_indexed_in_one_pass(run):
    """A log of one line, a file in base64: search answers others meanwhile, and ``re`` lets no other thread run."""
    done = subprocess.run([sys.executable, "-c", INDEXED.format(most=MOST_CPU_S), run], check=False)
    assert done.returncode == 0, "killed for the processor time it took"
