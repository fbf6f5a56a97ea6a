"""Words are found in other forms, with accents and without, in the languages that Postgres knows endings of."""

from embeddings.local import LocalEncoder
from search.cut_offs import calibration_for
from search.finder import Finder
from search.models import Model, Models
from search.request import SearchRequest
from tests.integration.search.conftest import World

FORMS = {
    "ru": ("красивая новая квартира, известный музей", ("красивый", "новый", "известная", "музей", "НОВЫЙ")),
    "pt": ("informações sobre as mãos", ("informação", "mão", "Informação")),
    "es": ("ayer comió tres manzanas", ("comer", "comiendo", "comio")),
    "tr": ("k\u0131zlar günler boyunca köyde; İşler", ("k\u0131z", "gün", "köy", "İş", "kiz", "gun")),
    "ro": ("pe orașe mari", ("oraş", "oraș")),
    "lt": ("lietuvių žodžiai", ("žodis", "zodis")),
    "it": ("domani parlerà il sindaco", ("parlare", "parlera")),
    "hu": ("régi levelek", ("levél", "level")),
    "fr": ("les élèves ont été appelés", ("élève", "eleve", "appeler")),
    "el": ("όλοι άνθρωποι", ("άνθρωπος", "ανθρωπος")),
    "de": ("alte Häuser, größere Bäume", ("Haus", "groß", "grosse", "Baum")),
}


async def found(world, user, query):
    answer = await world.finder.find(user, SearchRequest(query=query, mode="keyword", limit=100))
    return [file.filename for file in answer.results]


async def test_a_word_is_found_in_another_form_by_those_of_its_language_with_accents(world):
    missed = []
    for language, (text, queries) in FORMS.items():
        await world.add(language, "text.txt", text, "something else", language=language)
        missed += [query for query in queries if await found(world, language, query) != ["text.txt"]]
    assert missed == []


async def test_forms_that_only_words_without_accents_have_in_common_are_still_found(world):
    await world.add("ada", "letters.txt", "levelek", language="hu")
    await world.add("ada", "mine.txt", "моего дома", language="ru")
    assert await found(world, "ada", "levél") == ["letters.txt"]
    assert await found(world, "ada", "мой") == ["mine.txt"]


async def test_what_is_said_of_a_file_and_a_language_told_later_are_stemmed_alike(world):
    upload = world.upload("ada", "scan.png")
    await world.apply(
        await world.processed(upload),
        await world.embedded(upload, ["красивая квартира"]),
        await world.analyzed(upload, ["красивая квартира"], summary="новая школа", language="ru"),
    )
    for query in ("красивый", "новый"):
        assert await found(world, "ada", query) == ["scan.png"]


async def test_a_short_query_asks_texts_for_stems_of_their_own_language_and_of_english(world):
    for name, text, language in (
        ("finnish.txt", "Tämä on suomea.", "fi"),
        ("hungarian.txt", "Ez magyar szöveg.", "hu"),
        ("czech.txt", "Tato kniha je nová, pai.", "cs"),
        ("handbook.txt", "Tips are paid out on Fridays.", "en"),
        ("tattoos-and-paid.txt", "Nothing of the sort.", "cs"),
        ("german.txt", "Die Häuser und ein Tattoo, paid by card.", "de"),
    ):
        await world.add("ada", name, text, language=language)
    assert set(await found(world, "ada", "tattoo")) == {"tattoos-and-paid.txt", "german.txt"}
    assert set(await found(world, "ada", "paid")) == {"handbook.txt", "tattoos-and-paid.txt", "german.txt"}
    assert await found(world, "ada", "Haus") == ["german.txt"]
    assert await found(world, "ada", "tip friday") == ["handbook.txt"]


async def test_stop_words_with_accents_are_stop_words(world):
    for n, (language, dinner, manual, question) in enumerate(
        (
            ("es", "la paella incluye mariscos", "qué más da el comando, incluso más", "qué más incluye la paella"),
            ("it", "il risotto cuoce a fuoco lento", "più opzioni, perché più lento", "perché è più lento il risotto"),
            ("de", "die Nachzahlung der Heizung", "für Anwender, für Entwickler", "für wen ist die Nachzahlung"),
        )
    ):
        user = f"user{n}"
        await world.add(user, "dinner.txt", dinner, language=language)
        await world.add(user, "manual.txt", manual, language=language)
        await world.add(user, "english.txt", "Nothing of the sort.", language="en")
        assert (await found(world, user, question))[:1] == ["dinner.txt"], question


async def test_no_text_is_refused_for_its_accents(world):
    for text in ("\u0301s 'a' \\ \u0301", "d'\u0301 l\u2019\u0301", "ы" * 900, "é" * 300 + " \x00é"):
        for language in ("fr", "ga", "ru", "en"):
            await world.add(language, "text.txt", text + " été", language=language)
            assert await found(world, language, text + " été") == ["text.txt"]


async def test_a_file_in_another_language_takes_no_words_from_a_query(world):
    for name, text in {"war": "the world war", "map": "the world map", "hat": "a red hat", "fox": "a red fox"}.items():
        await world.add("ada", f"{name}.txt", text)
    await world.add("ada", "german.txt", "was war das", language="de")
    assert (await found(world, "ada", "world war"))[0] == "war.txt"
    assert (await found(world, "ada", "red hat"))[0] == "hat.txt"
    answer = await world.finder.find("ada", SearchRequest(query="world war", mode="keyword"))
    (moment,) = answer.results[0].moments
    assert [moment.text[start:end] for start, end in moment.highlights] == ["world", "war"]


async def test_only_forms_in_the_language_of_the_file_are_marked(world):
    await world.add("ada", "post.txt", "let a letter go with the letters", language="en")
    await world.add("ada", "lettre.txt", "La letter let", language="fr")
    answer = await world.finder.find("ada", SearchRequest(query="letter", mode="keyword"))
    marked = {
        file.filename: [moment.text[start:end] for start, end in moment.highlights]
        for file in answer.results
        for moment in file.moments
    }
    assert marked == {"post.txt": ["letter", "letters"], "lettre.txt": ["letter", "let"]}


async def test_questions_find_no_text_by_its_little_words_where_postgres_knows_none(world):
    texts = {
        "el": ("εξαιρετικό ελαιόλαδο", "αυτό είναι το καλό και το κακό, τι να πω", "τι είναι το ελαιόλαδο"),  # noqa: RUF001
        "ar": ("زيت ممتاز", "ما هو هذا الذي كان", "ما هو زيت"),
        "hi": ("बढ़िया तेल", "यह क्या है और क्या था", "तेल क्या है"),
        "he": ("שמן מצוין", "מה זה ולמה זה של", "מה זה שמן"),
        "ro": ("ulei bun", "ce este rău nu este pe masă", "ce este ulei"),
        "pl": ("dobry olej", "co to jest i jak to jest", "co to jest olej"),
        "cs": ("jemný lůj", "co je to a kdo to je, že", "co je to lůj"),
        "uk": ("добра олія", "що це за день та як це", "що це за олія"),
    }
    for language, (oil, other, _) in texts.items():
        await world.add(language, "oil.txt", oil, language=language)
        await world.add(language, "other.txt", other, language=language)
        await world.add(language, "english.txt", "Nothing of the kind.")
    assert {language: await found(world, language, query) for language, (*_, query) in texts.items()} == {
        language: ["oil.txt"] for language in texts
    }


async def test_of_a_stem_that_is_hardly_a_word_nothing_else_is_found(world):
    await world.add("ada", "turkish.txt", "evde k\u0131zlar", language="tr")
    await world.add("ada", "summer.txt", "L'été indien", language="fr")
    await world.add("ada", "mail.txt", "Please send an E-mail.")
    assert await found(world, "ada", "été") == ["summer.txt"]


async def test_invisible_characters_and_points_neither_hide_a_word_nor_move_its_place(world):
    texts = {
        "soft": "an extra\u00adordinary thing",
        "points": "שָׁלוֹם עולם",
        "wide": "\uff4c\uff45\uff41\uff53\uff45 of a flat",
    }
    for name, text in texts.items():
        await world.add("ada", f"{name}.txt", text)
    for query, name, marked in (
        ("extraordinary", "soft", "extra\u00adordinary"),
        ("extra\u200bordinary", "soft", "extra\u00adordinary"),
        ("שלום", "points", "שָׁלוֹם"),
        ("lease", "wide", "\uff4c\uff45\uff41\uff53\uff45"),
    ):
        answer = await world.finder.find("ada", SearchRequest(query=query, mode="keyword"))
        assert [file.filename for file in answer.results] == [f"{name}.txt"]
        (moment,) = answer.results[0].moments
        assert [moment.text[start:end] for start, end in moment.highlights] == [marked]


async def test_what_the_model_cannot_read_resembles_nothing_and_full_width_is_read(world, tmp_path):
    local = LocalEncoder(tmp_path)
    world = World(world.database, local)
    await world.add("ada", "signs.txt", "鰯 鯖 鮪")
    await world.add("ada", "flat.txt", "The tenant pays the monthly rent to the landlord in advance.")
    finder = Finder(world.database, Models(Model(local, calibration_for(local.model_id))), encoder_timeout_s=30)

    async def nearest(query):
        return [file.filename for file in (await finder.find("ada", SearchRequest(query=query))).results]

    assert await nearest("x" * 1000) == []
    full_width = "".join(chr(ord(letter) + 0xFEE0) for letter in "lease")
    assert await nearest(full_width) == await nearest("lease") == ["flat.txt"]
    local.close()


async def test_a_word_that_the_model_does_not_know_may_be_misspelt_whatever_else_is_found(world, tmp_path):
    local = LocalEncoder(tmp_path)
    world = World(world.database, local)
    await world.add("ada", "party.txt", "What the caterer offers: catering for forty guests, hoisting flags included.")
    await world.add("ada", "shoes.txt", "An offer of shoes, as cheap as never before.")
    finder = Finder(world.database, Models(Model(local, calibration_for(local.model_id))), encoder_timeout_s=30)
    for query, first, corrections in (
        ("catring offer", "party.txt", {"catring": "catering"}),
        ("hosting offer shoes", "shoes.txt", {}),
    ):
        answer = await finder.find("ada", SearchRequest(query=query, mode="keyword"))
        assert answer.results[0].filename == first, query
        assert answer.corrections == corrections, query
    local.close()


async def test_phrases_and_file_names_go_on_after_a_script_without_spaces(world):
    await world.add("ada", "報告書 final.pdf", "会議室 A101 は 東京タワー plan の隣", language="ja")
    await world.add("ada", "other.txt", "A101 plan 会議 final 報告", language="ja")
    for query in (
        '"会議室 A101"',
        '"東京タワー plan"',
        '"報告書 final"',
        "報告書final.pdf",
        '"東京タワー"',
        '"京タワ"',
    ):
        assert await found(world, "ada", query) == ["報告書 final.pdf"], query


async def test_in_a_language_without_a_stemmer_other_forms_are_found(world):
    await world.add("ada", "protokol.txt", "Omówiono naprawę dachów oraz wymianę okien w piwnicach.", language="pl")
    await world.add("ada", "chata.txt", "Na střeše chalupy chybí tašky, komín je prasklý.", language="cs")
    await world.add("ada", "future.txt", "Nothing of the kind.")
    for query, name in (("naprawa dachu", "protokol.txt"), ("wymiana okna", "protokol.txt"), ("chalupa", "chata.txt")):
        assert await found(world, "ada", query) == [name], query
    answer = await world.finder.find("ada", SearchRequest(query="naprawa dachu", mode="keyword"))
    (moment,) = answer.results[0].moments
    assert [moment.text[start:end] for start, end in moment.highlights] == ["naprawę", "dachów"]
    await world.add("bob", "rent.txt", "Der Mietvertrag ist unterschrieben.", language="de")
    assert await found(world, "bob", "Miete") == [], "German has a stemmer, which keeps the two apart"


async def test_a_word_that_occurs_nowhere_is_the_beginning_of_others(world):
    await world.add("bob", "lease.txt", "umowy najmu mieszkania", language="pl")
    assert await found(world, "bob", "umow") == ["lease.txt"]
    await world.add("ada", "rent.txt", "Der Mietvertrag ist unterschrieben.", language="de")
    await world.add("ada", "hash.txt", "Commit 9f86d081884c7d65 was reverted.")
    for query, name in (("Miete", ""), ("Miet", "rent.txt"), ("9f86d08", "hash.txt")):
        assert await found(world, "ada", query) == [name][: bool(name)], query
    answer = await world.finder.find("ada", SearchRequest(query="Miet", mode="keyword"))
    (moment,) = answer.results[0].moments
    assert [moment.text[start:end] for start, end in moment.highlights] == ["Mietvertrag"]


async def test_digits_and_letters_of_other_keyboards_are_the_same(world):
    await world.add(
        "ada", "arabic.txt", "\u0643\u062a\u0627\u0628 \u0631\u0642\u0645 \u0662\u0660\u0662\u0666", language="ar"
    )
    assert await found(world, "ada", "2026") == ["arabic.txt"]
    assert await found(world, "ada", "\u06a9\u062a\u0627\u0628") == ["arabic.txt"]


async def test_four_characters_may_be_two_words_and_one_may_end_a_phrase(world):
    await world.add("ada", "contract.txt", "契約を更新する。2026年12月に", language="ja")
    await world.add("ada", "library.txt", "도서관은 오늘 문을 닫는다", language="ko")
    for query, name in (("契約更新", "contract.txt"), ('"2026年12月"', "contract.txt"), ("도서관이", "library.txt")):
        assert await found(world, "ada", query) == [name], query


async def test_umlauts_and_units_are_found_as_others_write_them(world):
    await world.add("ada", "letter.txt", "Viele Gruesse aus Koeln", language="de")
    await world.add("ada", "stick.txt", "A stick of 16GB.")
    for query, name in (("Köln", "letter.txt"), ("Grüße", "letter.txt"), ("16 GB", "stick.txt")):
        assert await found(world, "ada", query) == [name], query


async def test_the_word_itself_comes_before_what_is_its_stem_in_another_language(world):
    """The Italian stemmer makes "tom" of "tomato"."""
    await world.add("ada", "mercato.txt", "il mercato", language="it")
    for n in range(3):
        await world.add("ada", f"Tom {n}.txt", "Tom Lane and Tom: thanks, Tom.")
    await world.add("ada", "soup.txt", "Water, salt, bread, oil and in the end one tomato for each of us.")
    names = await found(world, "ada", "tomato")
    assert (names[0], len(names)) == ("soup.txt", 4)
