"""Numbers, codes and words written in parts are found as one, and what is written as one is found in parts."""

from search.request import SearchRequest

TEXTS = {
    "pi.txt": "The ratio is about 3.14 here.",
    "room.txt": "Room 14 on floor 3.",
    "house.txt": "The house costs 1,000,000 dollars.",
    "haus.txt": "Das Haus kostet 25.000,50 Euro.",
    "palace.txt": "The palace costs $2,500,050.",
    "model.txt": "The F-16 left at 20/24.",
    "bank.txt": "IBAN DE89 3704 0044 0532 0130 00, please.",
    "card.txt": "Card 4111-1111-1111-1111 was refused.",
    "phone.txt": "Call (555) 867-5309 or +49 30 12345678.",
    "book.txt": "ISBN 978-3-16-148410-0 is a book.",
    "order.txt": "Order RE-2024-0815 was shipped.",
    "letter.txt": "Please answer by e-mail, Mr O'Brien.",
    "other letter.txt": "The emails of the database were lost.",
    "server.txt": "It speaks TCP/IP to the data-base.",
    "manual.txt": "Its ad\u2010\ndress is written here.",
}


QUERIES = {
    "3.14": {"pi.txt": "3.14"},
    "3,14": {"pi.txt": "3.14"},
    "1000000": {"house.txt": "1,000,000"},
    "1.000.000": {"house.txt": "1,000,000"},
    "25000,50": {"haus.txt": "25.000,50"},
    "$25,000.50": {"haus.txt": "25.000,50"},
    "25000": {"haus.txt": "25.000"},
    "2500050": {"palace.txt": "2,500,050"},
    "f16": {"model.txt": "F-16"},
    "DE89370400440532013000": {"bank.txt": "DE89 3704 0044 0532 0130 00"},
    "4111111111111111": {"card.txt": "4111-1111-1111-1111"},
    "5558675309": {"phone.txt": "555) 867-5309"},
    "555-867-5309": {"phone.txt": "555) 867-5309"},
    "+493012345678": {"phone.txt": "49 30 12345678"},
    "9783161484100": {"book.txt": "978-3-16-148410-0"},
    "RE20240815": {"order.txt": "RE-2024-0815"},
    "re-2024-0815": {"order.txt": "RE-2024-0815"},
    "email": {"letter.txt": "e-mail", "other letter.txt": "emails"},
    "obrien": {"letter.txt": "O'Brien"},
    "data-base": {"other letter.txt": "database", "server.txt": "data base"},
    "database": {"other letter.txt": "database", "server.txt": "data-base"},
    "tcpip": {"server.txt": "TCP/IP"},
    "address": {"manual.txt": "ad\u2010\ndress"},
    "dress": {},
}


async def test_however_it_is_parted_it_is_found_and_marked(world):
    for name, text in TEXTS.items():
        await world.add("ada", name, text)
    assert {query: await marked(world, query) for query in QUERIES} == QUERIES


async def marked(world, query):
    answer = await world.finder.find("ada", SearchRequest(query=query, mode="keyword", limit=100))
    return {
        file.filename: " ".join(moment.text[start:end] for start, end in moment.highlights)
        for file in answer.results
        for moment in file.moments
    }


async def test_signs_and_emoji_are_part_of_what_is_looked_for(world):
    texts = {
        "cpp.txt": "C++ for beginners",
        "sharp.txt": "Lernt C#, früh",
        "c.txt": "Vitamin C",
        "cake.txt": "Soon \U0001f382",
    }
    for name, text in texts.items():
        await world.add("ada", name, text)
    queries = {
        "C++": {"cpp.txt": "C++"},
        '"c++ for"': {"cpp.txt": "C++ for"},
        "csharp": {"sharp.txt": "C#"},
        "c": {"c.txt": "C"},
        "\U0001f382": {"cake.txt": "\U0001f382"},
    }
    assert {query: await marked(world, query) for query in queries} == queries


async def test_a_file_name_of_many_words_that_is_not_there_is_looked_for_by_some_of_them(world):
    await world.add("ada", "lease.txt", "The alpha lease.")
    name = "-".join(("alpha", *(f"word{chr(97 + n // 10)}{chr(97 + n % 10)}" for n in range(90))))
    answer = await world.finder.find("ada", SearchRequest(query=f"{name}.pdf"))
    assert [file.filename for file in answer.results] in ([], ["lease.txt"])
