"""Detected stretches become lines as a reader sees them."""

from analyzer.backends.local.ocr_messages import OcrLine
from analyzer.backends.local.reading_order import page_text


def at(left: float, top: float, text: str, height: float = 20) -> OcrLine:
    right = left + 10 * len(text)
    corners = ((left, top), (right, top), (right, top + height), (left, top + height))
    return OcrLine(text=text, score=0.9, corners=corners)


def test_stretches_beside_each_other_are_one_line_whatever_order_they_came_in() -> None:
    lines = [at(300, 102, "Harrison"), at(10, 130, "Blood pressure"), at(10, 100, "Patient name:")]
    assert page_text(lines) == "Patient name: Harrison\nBlood pressure"


def test_a_gap_begins_a_paragraph() -> None:
    assert page_text([at(0, 0, "Title"), at(0, 80, "Text"), at(0, 104, "goes on")]) == "Title\n\nText\ngoes on"


def test_specks_without_letters_or_digits_are_no_text() -> None:
    assert page_text([at(0, 0, "·"), at(50, 50, "—")]) == ""
    assert page_text([]) == ""


def test_a_tall_letter_does_not_swallow_the_lines_beside_it() -> None:
    lines = [at(0, 0, "A", height=90), at(50, 0, "first line"), at(50, 35, "second line"), at(50, 70, "third line")]
    assert page_text(lines).index("first") < page_text(lines).index("second") < page_text(lines).index("third")
