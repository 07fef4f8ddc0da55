"""Takes secrets out of what is logged or kept."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

MASK = "***"
_NAMES = (
    r"(?:pass(?:word|wd|phrase)|pwd|secret|(?<!continuation)token|api[_-]?key|credentials?|signature|assertion"
    r"|session[_-]?id|authorization|cookie)(?:-?\d+)?"
)
"""How the name of a field that carries a secret ends, in any system and any case. A page's token is none."""
_HINTS = ("pass", "pwd", "secret", "token", "apikey", "api_key", "api-key", "credential", "signature", "assertion",
          "session", "authorization", "cookie")  # fmt: skip
"""A text without any of them has no such field: most have none, and telling so is quick."""
_ANY = re.IGNORECASE | re.DOTALL
_HEADER = re.compile(rf"[\w.-]*{_NAMES}", _ANY)
_NAMED: tuple[tuple[re.Pattern[str], str], ...] = (
    # JSON, also such as stands as text within JSON; a value that was cut off has no quote at its end
    (re.compile(rf'({_NAMES}"\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|\[[^\]]*\]?|-?\d[^,\s}}\]]*)', _ANY), rf'\1"{MASK}"'),
    (re.compile(rf'({_NAMES}(\\+)"\s*:\s*\2")(?:(?!(?<!\\)\2").)*', _ANY), rf"\1{MASK}"),
    (re.compile(rf"({_NAMES}=)[^&\s\"'<>]+", _ANY), rf"\1{MASK}"),  # forms, and addresses
    (re.compile(rf"(<[\w.-]*{_NAMES}>)[^<]+", _ANY), rf"\1{MASK}"),
)
_ANYWHERE: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("sig=", re.compile(r"([?&]sig=)[^&\s\"'<>]+", _ANY), rf"\1{MASK}"),
    ("@", re.compile(r"(://[^/\s:@\"]*:)[^/\s@\"]+(?=@)"), rf"\1{MASK}"),
    ("bearer", re.compile(r"\b(Bearer\s+)[\w+/.~=-]{8,}", _ANY), rf"\1{MASK}"),
    ("basic", re.compile(r"\b(Basic\s+)(?=\S*[\d=])[\w+/.~=-]{8,}", _ANY), rf"\1{MASK}"),
)
Clean = Callable[[str], str]
"""Masks what is secret in a text."""


class Redactor:
    """Masks known secret values, fields and headers that carry secrets by their name, and signed addresses."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        """`values` are the tenant's own secrets; those under four characters would mask everything and are left."""
        known = sorted({w for v in values if len(v) >= 4 for w in _spellings(v)}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """Mask a body, an address or a message."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        low = text.lower()
        if any(hint in low for hint in _HINTS):
            for pattern, masked in _NAMED:
                text = pattern.sub(masked, text)
        for hint, pattern, masked in _ANYWHERE:
            if hint in low:
                text = pattern.sub(masked, text)
        return text

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Mask the headers that carry credentials, and known values in the others."""
        return {k: MASK if _HEADER.fullmatch(k) else self.text(v) for k, v in headers.items()}


def _spellings(value: str) -> Iterator[str]:
    """Spell a value as JSON, addresses, forms and pages do."""
    yield value
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield from (once, once.replace("/", r"\/"), json.dumps(once)[1:-1])
    for coded in (
        quote(value, errors="replace"),
        quote(value, "", errors="replace"),
        quote_plus(value, errors="replace"),
    ):
        yield from (coded, re.sub("%..", lambda found: found[0].lower(), coded))
    yield from (html.escape(value), html.escape(value, quote=False))
