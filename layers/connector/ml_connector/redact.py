"""Takes secrets out of what is logged or kept: known values in every spelling, and whatever a name says is one."""

from __future__ import annotations

import base64
import html
import json
import re
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 4
"""Characters of a value under which masking it would mask everything."""
CODED = 8
"""Characters of a coded spelling (base64, hex) under which it could be any text."""
WORD = 16
"""Letters of a value beyond which it is no word."""
RECENT = 16
"""Credentials that were made at run time and are remembered, the latest ones: a token lives an hour."""
LONG, HEAD = 96, 64
"""Characters beyond which a token is known by its beginning, and of that beginning."""
LOGIN = 64 * 1024
"""Bytes that the answer to a login has at most."""
MARGIN = 256
"""Characters that are looked through beyond what is kept, at least: a secret may stand across the cut."""
_WORDS = (
    r"pass(?:word|wd|phrase)|pwd|secret|token(?<!continuationtoken)|api[_-]?key|credentials?|signature|assertion"
    r"|session[_-]?id|authorization|cookie"
)
"""How the name of a field that carries a secret ends, in any system; a number may follow. A page's token is none."""
_HEADER = re.compile(rf"[\w.-]*(?:{_WORDS})(?:-?\d+)?", re.IGNORECASE)
_MARKS = re.compile(
    # begins with plain letters, which makes it ten times as fast
    rf"(?:{_WORDS}|bearer|basic|sig=|://)(?:"
    r"(?<=://)(?P<address>)|(?<=[?&]sig=)(?P<signed>)"
    r"|(?<=bearer)(?<!\wbearer)(?P<bearer>\s+)|(?<=basic)(?<!\wbasic)(?P<basic>\s+)"
    r"|(?<!bearer)(?<!basic)(?<!sig=)(?<!://)(?:-?\d+)?"
    r"(?:(?P<json>(?P<slashes>\\*)[\"']\s*:\s*)|(?P<form>=)|(?P<page>(?:\s[^<>]{0,80})?>)))"
)
"""Where a secret may follow, in lower case: found in one pass, and looked at in `_VALUES`."""
_JSON = re.compile(r'"(?:[^"\\]|\\.)*"?|\'(?:[^\'\\]|\\.)*\'?|\[[^\]]*\]?|-?\d[^,\s}\]]*', re.DOTALL)
_FORM = re.compile(r"[^&\s\"'<>]+")
_PAGE = re.compile(r"[^<]+")
_BEARER = re.compile(r"[\w+/.~=-]{8,}")
_BASIC = re.compile(r"(?=\S*[\d=])[\w+/.~=-]{8,}")
_USER = re.compile(r"[^/\s:@\"]*:")
_PASSWORD = re.compile(r"[^/\s@\"]+(?=@)")
_TAG = re.compile(r"<[\w.:-]*\Z")
_TOKEN = re.compile(r"[\w.~+/=-]+", re.ASCII)
_ALONE = re.compile(rb"""\s*(?:<string[^>]*>)?"?([\w{}-]{16,256})\s*"?(?:</string>)?\s*""", re.ASCII)
"""A token that is the whole answer to a login, as JSON, in a tag of .NET's, or bare."""
_ASCII_LOWER = {n: n + 32 for n in range(ord("A"), ord("Z") + 1)}
Clean = Callable[[str], str]
"""Masks what is secret in a text."""
Needle = tuple[str, str]
"""A word, and the pattern of what is masked where it stands."""


class Redactor:
    """Masks known secret values, fields and headers that carry secrets by their name, and signed addresses."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        """`values` are the tenant's own secrets; those under four characters would mask everything and are left."""
        self._own = {(w, re.escape(w)) for v in values if len(v) >= SHORTEST for w in _spellings(v)}
        self._made: dict[str, set[Needle]] = {}
        self._lock = threading.RLock()  # what is interrupted, or collected, while it is held may log and come back here
        self._known: tuple[list[Needle], int] | None = None
        with _IN_USE_LOCK:
            _IN_USE.add(self)

    def learn(self, *values: str) -> None:
        """Know credentials that were given out or computed just now: tokens, session ids, pairs, signatures."""
        fresh = [v for v in values if len(v) >= SHORTEST and v not in self._made]
        if not fresh:
            return
        with self._lock:
            made = {**self._made, **{v: _needles(v) for v in fresh}}
            self._made, self._known = dict(list(made.items())[-RECENT:]), None

    def hear(self, headers: Iterable[tuple[str, str]]) -> None:
        """Learn the credentials that a request's or an answer's headers carry."""
        for name, value in headers:
            if _HEADER.fullmatch(name):
                self.learn(*_credentials(name.lower(), value))

    def text(self, text: str) -> str:
        """Mask a body, an address or a message."""
        # one pattern for all that is known would take longer to make than most texts to read, after each new token
        there = [pattern for word, pattern in self._all()[0] if word in text]
        return _unnamed(re.sub("|".join(there), MASK, text) if there else text)

    def beginning(self, text: str, limit: int) -> str:
        """Mask the beginning of a text, at most `limit` characters; a secret across the cut is masked as well."""
        margin = max(MARGIN, self._all()[1])
        if len(text) <= limit + margin:
            return self.text(text)[:limit]
        return self.text(text[: limit + margin])[:-margin][:limit]

    def _all(self) -> tuple[list[Needle], int]:
        """Give all that is known, the longest patterns first, and the length of the longest word."""
        with self._lock:
            if self._known is None:
                needles = self._own.union(*self._made.values())
                longest = max((len(word) for word, _ in needles), default=0)
                self._known = (sorted(needles, key=lambda needle: (-len(needle[1]), needle)), longest)
            return self._known

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Mask the headers that carry credentials, and known values in the others."""
        return {k: MASK if _HEADER.fullmatch(k) else self.text(v) for k, v in headers.items()}


_IN_USE: weakref.WeakSet[Redactor] = weakref.WeakSet()
_IN_USE_LOCK = threading.RLock()


def for_the_log(text: str) -> str:
    """Mask what any connection of this process knows for a secret: a log line may speak of every tenant."""
    with _IN_USE_LOCK:
        known = list(_IN_USE)
    for redactor in known:
        text = redactor.text(text)
    return text if known else _unnamed(text)


def given_out(body: bytes) -> list[str]:
    """List the credentials in the answer to a login: what stands under the name of a secret, or alone."""
    if alone := _ALONE.fullmatch(body):
        return [alone[1].decode("ascii")]
    try:
        return list(_secrets_in(json.loads(body))) if len(body) <= LOGIN else []
    except (ValueError, RecursionError):
        return []


def _secrets_in(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _secrets_in(one)
    for name, one in value.items() if isinstance(value, dict) else ():
        if isinstance(one, str) and _HEADER.fullmatch(str(name)):
            yield one
        else:
            yield from _secrets_in(one)


def _credentials(name: str, value: str) -> Iterator[str]:
    """Take a header apart: the token, the pair and its password, the values of cookies."""
    if name == "set-cookie":
        yield from _cookie(value.partition(";")[0])
    elif name == "cookie":
        for one in value.split(";"):
            yield from _cookie(one)
    else:
        scheme, _, rest = value.strip().partition(" ")
        yield from [rest.strip()] if rest.strip() else filter(_telling, [scheme])
        if scheme.lower() == "basic":
            yield from _pair(rest.strip())


def _cookie(text: str) -> Iterator[str]:
    yield from filter(_telling, [text.partition("=")[2].strip().strip('"')])


def _telling(value: str) -> bool:
    """Tell a credential from a word such as `required`, or a number: masked, they would spoil what has them too."""
    return len(value) >= (WORD if value.isalpha() else CODED if value.isdecimal() else SHORTEST)


def _pair(coded: str) -> Iterator[str]:
    try:
        pair = base64.b64decode(coded, validate=True).decode()
    except ValueError:
        return
    yield pair
    yield pair.partition(":")[2]


# ── what is known ───────────────────────────────────────────────────────────────────────────────────────────────


def _needles(value: str) -> set[Needle]:
    """Spell a value that was made at run time; a long token is known by how it begins, wherever it is cut."""
    if len(value) > LONG and _TOKEN.fullmatch(value):
        return {(w, re.escape(w) + r"[\w.~+/=%-]*") for w in _spellings(value[:HEAD])}
    return {(w, re.escape(w)) for w in _spellings(value)}


def _spellings(value: str) -> set[str]:
    """Spell a value as JSON, addresses, forms, pages, Python and codings do."""
    return {word for word in (*_written(value), *_coded(value)) if len(word) >= SHORTEST}


def _written(value: str) -> Iterator[str]:
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
    yield from (repr(value)[1:-1], repr(value.encode("utf-8", "replace"))[2:-1])


def _coded(value: str) -> Iterator[str]:
    """Spell a value in hex and base64, also where it is part of something longer, as the password of a pair is."""
    plain = value.encode("utf-8", "replace")
    found = [plain.hex(), plain.hex().upper()]
    if re.fullmatch(r"[0-9a-fA-F]+", value):
        found += [value.lower(), value.upper()]
    for before in range(3):
        begin, end = -(-before * 8 // 6), (before + len(plain)) * 8 // 6
        whole = base64.b64encode(bytes(before) + plain)[begin:end].decode()
        found += [whole, whole.replace("+", "-").replace("/", "_"), quote(whole, "")]
    yield from (word for word in found if len(word) >= CODED)


# ── what a name says ────────────────────────────────────────────────────────────────────────────────────────────


def _lowered(text: str) -> str:
    """Lower a text without moving a character: a few letters become two."""
    low = text.lower()
    return low if len(low) == len(text) else text.translate(_ASCII_LOWER)


def _unnamed(text: str) -> str:
    """Mask what follows the name of a secret, the word Bearer or Basic, or stands in an address."""
    parts, at = [], 0
    for found in _MARKS.finditer(_lowered(text)):
        if found.start() < at:
            continue  # within what is masked already
        span = _VALUES[str(found.lastgroup)](text, found)
        if span is not None:
            begin, end, mask = span
            parts += [text[at:begin], mask]
            at = end
    return "".join((*parts, text[at:])) if parts else text


Span = tuple[int, int, str] | None


def _json(text: str, found: re.Match[str]) -> Span:
    """In JSON, also such as stands as text within JSON; a value that was cut off has no quote at its end."""
    slashes, begin = found["slashes"], found.end()
    if not slashes:
        value = _JSON.match(text, begin)
        return (begin, value.end(), f'"{MASK}"') if value else None
    quoted = slashes + text[found.start("json") + len(slashes)]
    if not text.startswith(quoted, begin):
        return None
    begin += len(quoted)
    end = text.find(quoted, begin)
    while end > begin and text[end - 1] == "\\":
        end = text.find(quoted, end + 1)
    return begin, len(text) if end < 0 else end, MASK


def _after(value: re.Pattern[str]) -> Callable[[str, re.Match[str]], Span]:
    def span(text: str, found: re.Match[str]) -> Span:
        given = value.match(text, found.end())
        return (given.start(), given.end(), MASK) if given else None

    return span


def _page(text: str, found: re.Match[str]) -> Span:
    begins = _TAG.search(text, max(0, found.start() - 64), found.start())
    return _after(_PAGE)(text, found) if begins else None


def _address(text: str, found: re.Match[str]) -> Span:
    user = _USER.match(text, found.end())
    given = _PASSWORD.match(text, user.end()) if user else None
    return (given.start(), given.end(), MASK) if given else None


_VALUES: dict[str, Callable[[str, re.Match[str]], Span]] = {
    "json": _json,
    "form": _after(_FORM),
    "page": _page,
    "bearer": _after(_BEARER),
    "basic": _after(_BASIC),
    "signed": _after(_FORM),
    "address": _address,
}
