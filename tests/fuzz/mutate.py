"""Spoils what comes from outside: values, structure, bytes and encodings, all from one dice."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

DEEP = 20_000
NASTY: tuple[bytes, ...] = (
    b"null", b"true", b"false", b"0", b"-1", b"1", b"[]", b"{}", b'""', b'" "', b'"x"', b"[null]", b"[[]]", b"[1,2]",
    b'{"x":1}', b'[{"x":null}]', b"1.5", b"1e400", b"-1e400", b"1e999999", b"1e-999999", b"1e99999999999999999999",
    b"18446744073709551616", b"12345678901234567890.12", b"9" * 60, b"9" * 5000, b"NaN", b"Infinity", b"-Infinity",
    b"-100", b"-0.01", b"100.01", b"1e29", b"-1e29", b"1e30", b"1e-30", b"99999999999999999999.99",
    b'"NaN"', b'"Infinity"', b'"sNaN"', b'"1e999999"', b'"-0"', b"-0.0", b'"\\ud800"', b'"\\u0000"', b'"\\u202e"',
    b'"\xed\xa0\x80"', b'"\xff"', '"²"'.encode(), '"٣"'.encode(), b'"0000-00-00"', b'"2026-13-45T99:99:99Z"',
    b'"9999-12-31"', b'"0001-01-01T00:00:00"', b'"' + b"A" * 3000 + b'"', b'"a\\r\\nX: y"', b'"%s%n{0}"',
    b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b"[" * 900 + b"]" * 900, b'"http://["',
    b'"https://evil.example/x"', b'"' + b"\\\\" * 50 + b'"', b"[" + b"0," * 2000 + b"0]", b'"tYES"', b'"tNO"',
)  # fmt: skip
"""Raw JSON, some of it none, each of which may stand where any value stood."""
HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in</body></html>"
WHOLE: tuple[bytes, ...] = (
    b"", b" ", b"\n", HTML, b"null", b"[]", b"{}", b'""', b"true", b"7", b"Service Unavailable", b"\x00" * 64,
    b"\xef\xbb\xbf{}", b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", b'{"value":null}',
    b'{"value":{}}', b'{"value":[null,1,"x",[]]}', b'{"error":null}', b'{"error":"x"}', b'{"error":5}',
    b'{"error":{"code":-5002,"message":{"lang":"en-us","value":"Invalid session or session already timeout."}}}',
    b'{"error":{"code":301,"message":"Invalid session."}}', b'{"error":{"code":[],"message":[],"details":7}}',
    b'{"error":{"code":"-1","message":"x","details":{"a":1}}}', b'{"hasErrors":true,"errors":5}',
    b'{"errors":{"validationErrors":7,"message":"x"}}', b'{"errors":[null,1,[],{}]}', b'{"message":{"a":[]}}',
    b'{"detail":[{"loc":7,"msg":null}]}', b'[{"externalCode":{},"errors":[]}]', b'{"error":"' + b"x" * 5000 + b'"}',
)  # fmt: skip

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_MARK = "@@spoilt-here@@"


def body(dice: Random, given: bytes) -> bytes:
    """Spoil a body in one to three ways."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        given = dice.choices((_value, _shape, _bytes, _coded, _whole), (50, 20, 15, 8, 12))[0](dice, given)
    return given


def parsed(given: bytes) -> Any:
    """Decode a body with exact numbers; None where it is no JSON."""
    try:
        return _decoder.decode(given)
    except (ValueError, RecursionError, ArithmeticError):
        return None


def raw(value: Any) -> bytes:
    """Encode a body."""
    return _encoder.encode(value)


Spot = tuple[Any, Any]


def spots(tree: Any) -> list[Spot]:
    """List every place of a tree: its container and its key or index."""
    found: list[Spot] = []
    left = [tree]
    while left:
        here = left.pop()
        names: Any = list(here) if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ()
        for name in names:
            found.append((here, name))
            left.append(here[name])
    return found


def _value(dice: Random, given: bytes) -> bytes:
    """Put something nasty where a value stood."""
    tree = parsed(given)
    places = spots(tree)
    if not places:
        return dice.choice(NASTY)
    home, name = dice.choice(places)
    old = home[name]
    home[name] = _MARK
    return raw(tree).replace(f'"{_MARK}"'.encode(), _other(dice, old), 1)


def _other(dice: Random, old: Any) -> bytes:
    """Give the same thing as another type, or something nasty."""
    if dice.random() < 0.7:
        return dice.choice(NASTY)
    if isinstance(old, (dict, list)):
        return raw([old]) if dice.random() < 0.5 else raw(json.dumps("nested"))
    return raw(str(old)) if not isinstance(old, str) else old.encode("utf-8", "replace")[:40] or b"0"


def _shape(dice: Random, given: bytes) -> bytes:
    """Remove, double, rename or move."""
    tree = parsed(given)
    places = spots(tree)
    if not places:
        return given
    home, name = dice.choice(places)
    how = dice.randrange(5)
    if how == 0:
        del home[name]
    elif how == 1 and isinstance(home, list):
        home.insert(dice.randrange(len(home) + 1), home[name])
    elif how == 2 and isinstance(home, dict):
        home[str(name).swapcase() if dice.random() < 0.5 else f"{name}\u0000"] = home.pop(name)
    elif how == 3:
        home[name] = dice.choice(places)[1]
    elif isinstance(home, dict) and isinstance(name, str):
        text = raw(tree)
        key = raw(name) + b":"
        return text.replace(key, key + dice.choice(NASTY[:12]) + b"," + key, 1)  # the same key twice
    return raw(tree)


def _bytes(dice: Random, given: bytes) -> bytes:
    if not given:
        return dice.randbytes(dice.randrange(1, 40))
    some = bytearray(given)
    at = dice.randrange(len(some))
    how = dice.randrange(5)
    if how == 0:
        for _ in range(dice.randrange(1, 9)):
            some[dice.randrange(len(some))] ^= 1 << dice.randrange(8)
    elif how == 1:
        del some[at:]
    elif how == 2:
        some[at:at] = dice.randbytes(dice.randrange(1, 9))
    elif how == 3:
        del some[at : at + dice.randrange(1, 30)]
    else:
        some[at:at] = some[at : at + dice.randrange(1, 60)]
    return bytes(some)


def _coded(dice: Random, given: bytes) -> bytes:
    text = given.decode("utf-8", "replace")
    hows: tuple[Callable[[], bytes], ...] = (
        lambda: b"\xef\xbb\xbf" + given,
        lambda: text.encode("utf-16"),
        lambda: text.encode("utf-32-be"),
        lambda: text.encode("latin-1", "replace"),
        lambda: text.encode("cp037", "replace"),
        lambda: given + b"\n" + given,
        lambda: given + b"\x00",
        lambda: b" \t\r\n" + given,
        lambda: b")]}',\n" + given,
        lambda: zlib.compress(given),
    )
    return dice.choice(hows)()


def _whole(dice: Random, given: bytes) -> bytes:
    return dice.choice(WHOLE)


def planted(dice: Random, given: bytes, plant: bytes) -> bytes:
    """Echo something in a text of the body, as an error message of a server may."""
    quotes = [n for n, c in enumerate(given) if c == ord('"')]
    if not quotes:
        return given[:60] + plant + given[60:]
    at = dice.choice(quotes) + 1
    return given[:at] + plant + given[at:]
