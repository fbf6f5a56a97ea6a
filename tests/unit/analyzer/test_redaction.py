"""Addresses, phone and card numbers go; dates, amounts, years and identifiers stay."""

import pytest

from analyzer.redaction import redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to jane.doe+x@mail.example.co.uk today", "Write to [email] today"),
        ("a@b.example+c@d.example, @e.example and f@g@h.example", "[email][email], @e.example and f@[email]"),
        ("Call +49 89 12345678 now", "Call [phone] now"),
        ("Call (206) 555-0100, or 206-555-0100.", "Call [phone], or [phone]."),
        ("Tel. 020 7946 0958", "Tel. [phone]"),
        ("Tel: 089/1234567", "Tel: [phone]"),
        ("Card 4111 1111 1111 1111 was charged", "Card [card number] was charged"),
        ("Card 4111-1111-1111-1111.", "Card [card number]."),
        ("Card 378282246310005", "Card [card number]"),
        ("Card 4111\u00a01111\u00a01111\u00a01111, 4111.1111.1111.1111", "Card [card number], [card number]"),
        ("on 00 44 20 7946 0958 all week", "on [phone] all week"),
        ("from France 06.12.34.56.78, or 06 12 34 56 78", "from France [phone], or [phone]"),
        ("from America 1-800-555-0199", "from America [phone]"),
        ("on (+44) 20 7946 0123 or +33\u00a01\u00a023\u00a045\u00a067\u00a089", "on [phone] or [phone]"),
        ('Ask "Jane Doe"@example.org', "Ask [email]"),
    ],
)
def test_personal_data_goes(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize("run", ["a", "1", ".", "-", "a.", "+1", "@", "a@", "(1", "0 1"])
def test_a_megabyte_without_an_address_stays_and_is_read_once(run: str) -> None:
    text = run * (1_000_000 // len(run))
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "On 2024-10-28 and 28.10.2024 and 10/28/2024",
        "Revenue was 1,234,567.89 in 2023-2024",
        "Report MEDRPT-2024-PAT-3847, SKU-4563, ISBN 978-3-16-148410-0",
        "Order 4111111111111112 failed its check digit",
        "Version 10.0.22631.4460 at 192.168.100.200",
        "Scores of 142/88 mmHg, 9-10 of 12, 14:32:18",
        "A 1920\u00d71080 photo taken in May 2024",
        "user at example dot com",
        "IBAN DE89 3704 0044 0532 0130 00 and GB29NWBK60161331926819",
        "Rows of 100 200 3000 and 2024 2025 2026",
        'She said "hello" and "good bye" at 10',
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert redact(text) == text
