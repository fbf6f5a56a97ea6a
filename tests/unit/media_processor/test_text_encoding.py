# ruff: noqa: RUF001 - letters of many languages
"""Texts without a mark of their encoding: 8-bit code pages are told apart by the languages written in them."""

import re
import subprocess
import sys
from unicodedata import normalize

import pytest

from media_processor.text_encoding import ReadText, clean, decode, decode_sample, read_text

FRENCH = (
    "Chers voisins, la réparation du toit commencera lundi. Veuillez retirer vos affaires de la cave. Le comité vous "
    "remercie ; rendez-vous en août. Le plan est affiché à l'entrée, chez Thérèse."
)
GERMAN = (
    "Sehr geehrte Nachbarn, die Reparatur des Daches beginnt am Montag. Bitte räumen Sie Ihre Sachen aus dem Keller. "
    "Grüße an Frau Schäfer und die Familie Böhm, Straße 4."
)
SPANISH = (
    "El año pasado los niños pasaron las vacaciones con la abuela. ¿Cuándo podrás enviarme los papeles que faltan?"
)
PORTUGUESE = "A comissão decidiu que a missão começará amanhã de manhã. Não há informações sobre a situação da estação."
ITALIAN = "La città è più bella di sera, perché c'è meno traffico. Così andiamo a piedi fino all'università, lunedì."
SWEDISH = "Båten går från hamnen klockan åtta på måndag. Vi måste köpa smör, ägg och bröd till frukosten innan vi åker."
DANISH = "Vi rejser hjem på lørdag, når færgen går igen. Børnene glæder sig til at spise rødgrød med fløde på søndag."
FINNISH = "Tänään sataa lunta, eikä bussi ole vielä tullut. Äiti lähti töihin jo kello seitsemän, mutta isä jäi kotiin."
ICELANDIC = "Það er gott veður í dag og við ætlum að fara út á sjó. Amma mín býr í litlu húsi við höfnina."
POLISH = "Szanowni sąsiedzi, remont dachu zaczął się w piątek. Zauważyliśmy, że źródło światła jest na ścianie. Cześć."
CZECH = "Včera jsme zjistili, že střecha potřebuje opravu. Totiž prší dovnitř už od začátku týdne. Přijďte prosím včas."
SLOVAK = (
    "Zistili sme, že strecha potrebuje opravu. Ďakujem za list. Môžeme sa stretnúť vo štvrtok, ľudia čakajú päť hodín."
)
CROATIAN = "Jučer smo vidjeli da krov prokišnjava na više mjesta. Možeš li mi reći što treba kupiti za večeru? Živjeli."
HUNGARIAN = "Kedves szomszédok, a tető javítása hétfőn kezdődik. Kérjük, vigyék el a holmijukat. Őszi túra a bükkösbe."
TURKISH = "Değerli komşular, çatı onarımı pazartesi başlayacak. Aşağıdaki eşyalarınızı lütfen kaldırınız. İyi günler."
LITHUANIAN = (
    "Gerbiami kaimynai, stogo remontas prasidės pirmadienį. Prašome patraukti savo daiktus iš rūsio. Žąsys, ačiū."
)
LATVIAN = "Cienījamie kaimiņi, jumta remonts sāksies pirmdien. Lūdzam izņemt savas mantas. Karte ir pie ziņojumu dēļa."
ESTONIAN = (
    "Eile märkasime, et katus laseb vett läbi. Palun saatke leping õigel ajal. Öösel oli külm, šokolaad sai otsa."
)
ENGLISH = (
    "Dear neighbours – the repair of the roof will start on Monday. Don’t leave “naïve” notes, as Mr. Müller put it."
)
RUSSIAN = "Вчера мы заметили, что крыша протекает в нескольких местах. Пришлите, пожалуйста, договор до пятницы."
BULGARIAN = "Вчера забелязахме, че покривът тече на няколко места. Моля, изпратете договора до петък, защото е късно."
GREEK = "Χθες παρατηρήσαμε ότι η στέγη στάζει σε πολλά σημεία. Παρακαλώ στείλτε το συμβόλαιο μέχρι την Παρασκευή."
HEBREW = "אתמול שמנו לב שהגג דולף בכמה מקומות. אנא שלחו את החוזה עד יום שישי, כי אחרת לא נספיק לחתום עליו בזמן."
ARABIC = "لاحظنا أمس أن السقف يتسرب منه الماء في عدة أماكن. يرجى إرسال العقد قبل يوم الجمعة لأننا لن نتمكن من توقيعه."
JAPANESE = "昨日、屋根の数か所から雨漏りしていることに気づきました。金曜日までに契約書を送ってください。"
CHINESE = "昨天我们发现屋顶有几处漏水。请在星期五之前把合同寄来,否则我们来不及签字。谢谢你的来信。"
KOREAN = "어제 우리는 지붕 여러 곳에서 물이 새는 것을 발견했습니다. 금요일까지 계약서를 보내 주세요."
VIETNAMESE = "Hôm nay trơi mua và không ai ra ngoài. Trong nhà có năm nguoi, ban ăn côm và uông trà cho ám."

LATIN = [
    *[("cp1252", text) for text in (FRENCH, GERMAN, SPANISH, PORTUGUESE, ITALIAN, SWEDISH, DANISH, FINNISH, ICELANDIC)],
    *[("latin_1", text) for text in (FRENCH, SPANISH, PORTUGUESE, SWEDISH)],
    ("cp1252", ENGLISH),
    ("iso8859_15", f"{FRENCH} Un œuf, une sœur."),
    *[("cp1250", text) for text in (POLISH, CZECH, SLOVAK, CROATIAN, HUNGARIAN, GERMAN)],
    *[("iso8859_2", text) for text in (POLISH, CZECH, SLOVAK, CROATIAN, HUNGARIAN)],
    ("cp1254", TURKISH),
    *[("cp1257", text) for text in (LITHUANIAN, LATVIAN, ESTONIAN)],
    ("cp1258", VIETNAMESE),
]
OTHERS = [
    *[("cp1251", text) for text in (RUSSIAN, BULGARIAN)],
    *[(page, RUSSIAN) for page in ("koi8_r", "cp866", "iso8859_5")],
    *[(page, GREEK) for page in ("cp1253", "iso8859_7")],
    ("cp1255", HEBREW),
    *[(page, ARABIC) for page in ("cp1256", "iso8859_6")],
    *[("shift_jis", JAPANESE), ("gb18030", CHINESE), ("euc_kr", KOREAN), ("utf_16", JAPANESE)],
    *[("utf_8", text) for text in (FRENCH, TURKISH, GREEK, JAPANESE)],
    *[("utf_16", text) for text in (FRENCH, RUSSIAN)],
    *[("utf_16_le", FRENCH), ("utf_16_be", FRENCH)],
]


def words(text):
    return re.findall(r"\w+", normalize("NFC", text))


@pytest.mark.parametrize("times", [1, 40])
@pytest.mark.parametrize(("page", "text"), [*LATIN, *OTHERS])
def test_a_text_is_read_in_its_own_code_page(page, text, times):
    written = "\r\n".join([text] * times)
    assert words(decode(written.encode(page))) == words(written)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("cp1252", "Crème fraîche; pâté; gâteau; bœuf; thé; café"),
        ("cp1252", "Lista: café, té, azúcar, champiñones, jamón, piña, plátano, limón"),
        ("cp1250", "Lista: mleko, bułki, szynka, żółty ser, masło, jabłka, śmietana"),
        ("cp1254", "Liste: süt, ekmek, peynir, yağ, domates, çay, şeker, ıspanak"),
        ("cp1250", "Novák;Jiří;Plzeň\nDvořák;Tomáš;Liberec\nČerný;Lukáš;Ústí"),
        ("cp1252", "Möller;Jürgen;Köln\nWeiß;Jörg;Düsseldorf\nSchröder;Käthe;München"),
    ],
)
def test_a_list_has_the_letters_of_its_language(page, text):
    assert words(decode(text.encode(page))) == words(text)


def test_latin_words_in_another_script_do_not_make_it_latin():
    for page, text in (("shift_jis", JAPANESE), ("cp1251", RUSSIAN), ("cp1253", GREEK), ("euc_kr", KOREAN)):
        written = f"The answer of the office to your letter is in the file.\n{text * 3}"
        assert words(decode(written.encode(page))) == words(written)


@pytest.mark.parametrize("damage", [b"\xff", b"\xf0\x9f", b"\xfc", b"\xe6\x97"])
@pytest.mark.parametrize("text", [FRENCH, GERMAN, RUSSIAN, JAPANESE, CHINESE, GREEK])
def test_a_damaged_letter_does_not_make_utf_8_another_encoding(tmp_path, text, damage):
    whole = f"{text}\n" * 20
    path = tmp_path / "a.txt"
    path.write_bytes(whole.encode() + damage + b"\n" + whole.encode())
    assert read_text(path, 1_000_000) == ReadText(f"{whole}\ufffd\n{whole}", is_cut=False, damaged=1)
    assert decode_sample(path.read_bytes()) is not None


@pytest.mark.parametrize("text", [GERMAN[1:], RUSSIAN, JAPANESE, GREEK])
def test_utf_8_that_begins_within_a_letter_is_utf_8(text):
    cut_out_of_a_log = f"ü{text}\n".encode()[1:] + f"{text}\n".encode() * 19
    assert decode(cut_out_of_a_log).count(f"{text}\n") == 20


def test_a_letter_that_was_lost_before_is_no_damage(tmp_path):
    (tmp_path / "a.txt").write_text("Th\ufffdr\ufffdse", "utf-8")
    assert read_text(tmp_path / "a.txt", 100) == ReadText("Th\ufffdr\ufffdse", is_cut=False, damaged=0)


def test_a_letter_that_the_limit_parts_is_no_damage(tmp_path):
    (tmp_path / "a.txt").write_text("a" + "日" * 100, "utf-8")
    assert read_text(tmp_path / "a.txt", 10) == ReadText("a" + "日" * 9, is_cut=True, damaged=0)


def test_text_that_is_ascii_but_for_half_an_emoji_is_text():
    rows = b"".join(b"%d,plain words\n" % row for row in range(60))
    assert decode_sample(rows + b"last,\xf0\x9f\n") is not None
    assert decode(rows + b"last,\xf0\x9f\n").startswith("0,plain words")


@pytest.mark.parametrize(("page", "text"), [("cp1252", FRENCH), ("cp1251", RUSSIAN), ("utf_8", JAPANESE)])
def test_the_encoding_is_told_from_where_letters_beyond_ascii_are(page, text):
    plain = "The quartermaster wrote down every barrel that was carried aboard.\n" * 2_000
    assert decode((plain + text).encode(page)) == plain + text


def test_a_page_that_is_long_ascii_is_read_as_it_says():
    page = '<meta charset="iso-8859-2">' + "<p>plain words</p>" * 8_000 + "<p>żółw</p>"
    assert decode(page.encode("iso-8859-2")) == page


def test_wide_letters_beyond_ascii_may_come_late():
    plain = "The quartermaster wrote down every barrel. " * 2_000
    assert decode(f"{plain}Ğ{JAPANESE}".encode("utf-16-le")) == f"{plain}Ğ{JAPANESE}"


def test_seven_bit_japanese_is_read():
    assert decode(JAPANESE.encode("iso2022_jp")) == JAPANESE
    assert decode(b"\x1b[1mred\x1b[0m $B:#F|") == "\x1b[1mred\x1b[0m $B:#F|"


@pytest.mark.parametrize("mark", ["\x07", "\x0b", "\x08"])
def test_a_bell_or_a_vertical_tab_is_part_of_a_text(mark):
    assert decode_sample(f"one{mark}two".encode()) == f"one{mark}two"


def test_a_text_of_dos_ends_with_its_mark():
    assert clean(decode_sample(b"Dear Sir,\r\nit is mended.\r\n\x1a\x1a")) == "Dear Sir,\nit is mended.\n"
    assert decode_sample(b"Dear Sir,\x1ait is mended.\r\n") is None


def test_a_vertical_tab_ends_a_line():
    assert clean("one\x0btwo\r\nthree\rfour\x07") == "one\ntwo\nthree\nfour"


MOST_CPU_S = 20
"""Many times what it takes; a run of signs that is looked through again from each of them takes minutes."""

READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, ({most}, {most}))
from media_processor.code_pages import best_page
for _ in range(5):
    best_page(b"a" + bytes([int(sys.argv[1])]) * 65_000 + b"a", "cp1250")
"""


@pytest.mark.parametrize("sign", [0x93, 0xAB, 0xA0, 0x97, 0xE9, 0x81])
def test_a_run_of_one_sign_is_looked_through_once(sign):
    done = subprocess.run([sys.executable, "-c", READ.format(most=MOST_CPU_S), str(sign)], check=False)
    assert done.returncode == 0, "killed for the processor time it took"
