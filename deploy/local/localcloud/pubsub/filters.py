"""The subscription filter language: an expression's text becomes a predicate over message attributes.

``attributes:K``, ``attributes.K = "V"``, ``!=``, ``hasPrefix(attributes.K, "V")``, NOT or ``-``, AND, OR, ().
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from localcloud.pubsub.errors import InvalidArgumentError

LONGEST_FILTER = 256
"""Bytes of UTF-8."""

Predicate = Callable[[Mapping[str, str]], bool]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<symbol>!=|[=:.(),])
    | (?P<word>[\w-]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))", re.DOTALL)
_ESCAPED = {
    "n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v",
    "\\": "\\", '"': '"', "'": "'", "?": "?", "`": "`",
}  # fmt: skip
_RESERVED = frozenset({"AND", "OR", "NOT"})


class FilterSyntaxError(InvalidArgumentError):
    """The expression is not in the filter language."""


def compile_filter(expression: str) -> Predicate:
    """A predicate over attributes; the empty expression accepts everything. Raises FilterSyntaxError."""
    if len(expression.encode()) > LONGEST_FILTER:
        raise FilterSyntaxError(f"The filter is longer than {LONGEST_FILTER} bytes.")
    if not expression.strip():
        return lambda _attributes: True
    return _Parser(_tokens(expression), expression).parse()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def _tokens(expression: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    end = len(expression.rstrip())
    while position < end:
        match = _TOKEN.match(expression, position)
        if match is None:
            raise FilterSyntaxError(f"Invalid filter at character {position}: {expression!r}.")
        kind = str(match.lastgroup)
        for token in _split_minus(_Token(kind, match[kind], match.start(kind))):
            found.append(token)
        position = match.end()
    found.append(_Token("end", "", end))
    return found


def _split_minus(token: _Token) -> list[_Token]:
    """A leading minus negates; inside a word (``my-key``) it belongs to the key."""
    if token.kind != "word" or not token.text.startswith("-"):
        return [token]
    rest = _Token("word", token.text[1:], token.position + 1)
    return [_Token("symbol", "-", token.position), *(_split_minus(rest) if rest.text else [])]


class _Parser:
    def __init__(self, tokens: list[_Token], expression: str) -> None:
        self._tokens = tokens
        self._expression = expression
        self._next = 0

    def parse(self) -> Predicate:
        predicate = self._expression_of_terms()
        self._expect("end", "")
        return predicate

    def _expression_of_terms(self) -> Predicate:
        terms = [self._term()]
        joiner = self._peek().text if self._peek().kind == "word" else ""
        while joiner in {"AND", "OR"} and self._accept("word", joiner):
            terms.append(self._term())
        if self._peek().text in {"AND", "OR"}:
            raise self._error("AND and OR may only be mixed with brackets")
        if len(terms) == 1:
            return terms[0]
        decide = all if joiner == "AND" else any
        return lambda attributes: decide(term(attributes) for term in terms)

    def _term(self) -> Predicate:
        if self._accept("word", "NOT") or self._accept("symbol", "-"):
            negated = self._term()
            return lambda attributes: not negated(attributes)
        if self._accept("symbol", "("):
            inner = self._expression_of_terms()
            self._expect("symbol", ")")
            return inner
        if self._accept("word", "hasPrefix"):
            return self._has_prefix()
        return self._comparison()

    def _has_prefix(self) -> Predicate:
        self._expect("symbol", "(")
        self._expect("word", "attributes")
        self._expect("symbol", ".")
        key = self._key()
        self._expect("symbol", ",")
        prefix = self._string()
        self._expect("symbol", ")")
        return lambda attributes: key in attributes and attributes[key].startswith(prefix)

    def _comparison(self) -> Predicate:
        self._expect("word", "attributes")
        if self._accept("symbol", ":"):
            present = self._key()
            return lambda attributes: present in attributes
        self._expect("symbol", ".")
        key = self._key()
        if self._accept("symbol", "="):
            wanted = self._string()
            return lambda attributes: attributes.get(key) == wanted
        self._expect("symbol", "!=")
        refused = self._string()
        return lambda attributes: attributes.get(key) != refused

    def _key(self) -> str:
        token = self._peek()
        if token.kind == "string":
            return self._string()
        # An unquoted key that happens to begin with a minus was split by the tokenizer: it needs quotes.
        if token.kind != "word" or token.text in _RESERVED:
            raise self._error("an attribute key was expected")
        self._next += 1
        return token.text

    def _string(self) -> str:
        token = self._peek()
        if token.kind != "string":
            raise self._error("a string in double quotes was expected")
        self._next += 1
        return _ESCAPE.sub(self._unescape, token.text[1:-1])

    def _unescape(self, escape: re.Match[str]) -> str:
        by_code = escape[1] or escape[2] or escape[3]
        code = int(by_code, 16) if by_code else int(escape[4], 8) if escape[4] else None
        if code is None:
            if escape[5] not in _ESCAPED:
                raise self._error(f"unknown escape \\{escape[5]}")
            return _ESCAPED[escape[5]]
        if code > 0x10FFFF:
            raise self._error("an escape beyond Unicode")
        return chr(code)

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _accept(self, kind: str, text: str) -> bool:
        token = self._peek()
        if (token.kind, token.text) != (kind, text):
            return False
        self._next += 1
        return True

    def _expect(self, kind: str, text: str) -> None:
        if not self._accept(kind, text):
            raise self._error(f"{text!r} was expected" if text else "the end was expected")

    def _error(self, what: str) -> FilterSyntaxError:
        return FilterSyntaxError(f"Invalid filter at character {self._peek().position}: {what}: {self._expression!r}.")
