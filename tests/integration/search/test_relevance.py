"""Quality with the real local encoder: every query finds its text first, foreign and meaningless ones find nothing."""

import pytest

from embeddings.cache import CachingEncoder
from embeddings.local import LocalEncoder
from search.cut_offs import calibration_for
from search.finder import Finder
from search.models import Model, Models
from search.request import SearchRequest

TEXTS = {
    "bread": "Mix flour, water, salt and a spoon of sourdough starter. Let the dough rise overnight in the fridge, "
    "fold it twice, then bake the loaf in a hot cast-iron pot until the crust is dark brown.",
    "lease": "The tenant shall pay the monthly rent in advance on the first working day. The landlord may end this "
    "agreement with three months' written notice. A deposit of two months' rent is kept until the flat is handed back.",
    "glacier": "Satellite pictures show that the glacier lost eleven metres of thickness in four summers. Meltwater "
    "now forms a lake behind the moraine, which could burst and flood the valley.",
    "bill": "Invoice INV-20417. Bill to: Northwind Traders. 40 office chairs at 89.00 EUR, 12 standing desks at 410.00 "
    "EUR. Total due within 30 days: 8480.00 EUR including value added tax.",
    "match": "In the second half the home side scored twice from corners. The goalkeeper saved a late penalty and the "
    "visitors dropped to the bottom of the league table.",
    "loop": "A coroutine gives control back to the event loop whenever it awaits. Blocking calls inside a coroutine "
    "stop every other task, so move them to a thread pool.",
    "knee": "The patient reports pain in the left knee after running. X-ray shows no fracture. Physiotherapy twice a "
    "week is advised, and ibuprofen as needed for two weeks.",
    "violin": "The luthier carves the top of the violin from spruce and the back from maple. Varnish is brushed on in "
    "thin layers and dried in daylight for several weeks.",
    "budget": "Revenue grew by nine percent, but the cost of shipping ate most of the profit. The board therefore "
    "postpones the new warehouse and freezes hiring until spring.",
    "whale": "Humpback whales sing for hours in the breeding grounds. Males of one region share the same song, which "
    "slowly changes from year to year.",
    "voting": "Polling stations open at eight in the morning. Voters must bring an identity card. Postal ballots that "
    "arrive after the polls close are not counted.",
    "tulips": "Plant tulip bulbs in October, twice as deep as they are high. Cover roses with straw before the first "
    "frost and cut back the hedge only after the birds have left their nests.",
}

QUERIES = {
    "how do I make a loaf at home": "bread",
    "moving out of a rented apartment": "lease",
    "melting ice caused by a warmer climate": "glacier",
    "the furniture order with number INV-20417": "bill",
    "soccer report": "match",
    "asynchronous programming pitfalls": "loop",
    "sore joint after jogging": "knee",
    "how string instruments are built": "violin",
    "company saves money and stops recruiting": "budget",
    "songs of sea mammals": "whale",
    '"identity card" for an election': "voting",
    "when to put flower bulbs into the ground": "tulips",
}

FOREIGN = (
    "asdf qwer zxcv",
    "blorptang fizzwick",
    "quantum chromodynamics lattice gauge",
    "bitcoin mining rig",
    "samurai sword duel at dawn",
    "learn Spanish verbs",
    "wedding dress fitting",
    "!!! ???",
)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    encoder = LocalEncoder(tmp_path_factory.mktemp("models"))
    yield CachingEncoder(encoder)
    encoder.close()


async def test_queries_hit_their_text_first_and_foreign_ones_nothing(world, encoder):
    for name, text in TEXTS.items():
        await world.add("ada", f"{name}.txt", text)
    finder = Finder(world.database, Models(Model(encoder, calibration_for(encoder.model_id))), encoder_timeout_s=30)

    async def first(query: str) -> str | None:
        results = (await finder.find("ada", SearchRequest(query=query))).results
        return results[0].filename if results else None

    hits = {query: await first(query) == f"{name}.txt" for query, name in QUERIES.items()}
    answered = [query for query in FOREIGN if await first(query)]

    rate = sum(hits.values()) / len(hits)
    print(f"hit@1 {rate:.2f} of {len(hits)}; false answers {len(answered)} of {len(FOREIGN)}")
    assert rate >= 0.9, [query for query, hit in hits.items() if not hit]
    assert answered == []


async def test_page_numbers_and_single_letters_are_found_by_their_words_alone(world, encoder):
    """Their vectors would lie near every short query."""
    await world.add("ada", "scan.pdf", "The lease of the boat house by the lake.", *"2345678")
    await world.add("ada", "letter.png", "Q")
    finder = Finder(world.database, Models(Model(encoder, calibration_for(encoder.model_id))), encoder_timeout_s=30)

    async def found(query: str) -> list[str]:
        return [file.filename for file in (await finder.find("ada", SearchRequest(query=query))).results]

    strangers = ["cat", "dog", "hello", "car", "sun", "big", "invoice", "coffee", "doctor", "guitar", "qqqqqqqq", "wq"]
    assert {query: await found(query) for query in strangers} == {query: [] for query in strangers}
    assert (await found("8"), await found("Q")) == (["scan.pdf"], ["letter.png"])
    assert await found("who rents the boat house") == ["scan.pdf"]


async def test_similar_files_come_by_their_vectors(world, encoder):
    for name, text in TEXTS.items():
        await world.add("ada", f"{name}.txt", text)
    porridge = await world.add("ada", "rolls.txt", "Knead the dough, shape small rolls and bake them until golden.")
    finder = Finder(world.database, Models(Model(encoder, calibration_for(encoder.model_id))))

    similar = await finder.similar("ada", porridge, 3)

    assert similar.results[0].filename == "bread.txt"
    assert porridge not in [result.upload_id for result in similar.results]
