"""XML, safely made and read: no document type, no entity of its own, names without regard to case.

What is read may have been written by anybody: a document type is refused, and with it every entity that could grow,
or name a file (`defusedxml`). What is made is plain ASCII, so that no declared encoding can change a letter of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element, ParseError, tostring  # nosec - only made here; what is read goes below

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ml_connector.errors import Rejected

_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML may hold, not even as a number."""
_UNFIT_NUMBER = re.compile(r"&#(?:x0*(?:[0-8bcef]|1[0-9a-f])|0*(?:[0-8]|1[124-9]|2\d|3[01]));", re.IGNORECASE)
_WRAPPED = re.compile(r"\s*(?:<\?xml[^>]{0,200}>\s*)?<string\b", re.IGNORECASE)
_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
Content = str | None | Mapping[str, "Content"] | Sequence["Content"]
"""A text; elements by name, in their order; or several elements of one name. None is left out."""


def element(name: str, content: Content = "", **attributes: str) -> Element:
    """Make an element. Raises `Rejected` for text that XML cannot hold."""
    made = Element(name, attributes)
    if isinstance(content, str):
        made.text = _fit(name, content)
    elif isinstance(content, Mapping):
        for inner, value in content.items():
            ones = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
            made.extend([element(inner, one) for one in ones if one is not None])
    return made


def _fit(name: str, text: str) -> str:
    if (bad := _UNFIT.search(text)) is not None:
        raise Rejected(
            f"'{printable(text)[:60]}' has a control character ({ord(bad[0]):#x}), which cannot be sent as {name}. "
            "Remove it and transfer it again."
        )
    return text


def printable(text: str) -> str:
    """Put a space for each character that XML cannot hold; for texts only, never for a code or a number."""
    return _UNFIT.sub(" ", text)


def written(made: Element) -> str:
    """Write an element, without a declaration; letters beyond ASCII as numbers."""
    told: bytes = tostring(made, encoding="us-ascii")
    return told.decode("ascii")


def parsed(text: str) -> Element:
    """Read a document. Raises `ValueError` where it is none, or has a document type.

    Characters that may not stand there, which databases hold all the same, cost only themselves.
    """
    try:
        return _read(text)
    except ParseError:
        fixed = _UNFIT_NUMBER.sub(" ", printable(text))
        if fixed == text:
            raise ValueError("It is no whole XML document.") from None
    try:
        return _read(fixed)
    except ParseError as error:
        raise ValueError(f"It is no whole XML document ({error}).") from None


def _read(text: str) -> Element:
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (DefusedXmlException, RecursionError) as error:
        raise ValueError(f"It is refused for safety ({type(error).__name__}).") from error
    return root


def decoded(body: bytes, otherwise: str) -> str:
    """Decode a body as its XML declaration says; without one as UTF-8, and as `otherwise` where it is none."""
    declared = _DECLARED.match(body)
    try:
        return body.decode(declared[1].decode("ascii") if declared else "utf-8-sig")
    except (UnicodeDecodeError, LookupError):
        return body.decode(otherwise, "replace")


def unwrapped(body: bytes, otherwise: str) -> str:
    """Take a text out of what a .NET service puts around it: a JSON string, then `<string>`; else as it is."""
    text = ""
    if body.lstrip()[:1] == b'"':
        try:
            text = str(json.loads(body))
        except (ValueError, RecursionError):
            text = ""
    text = text or decoded(body, otherwise)
    if not _WRAPPED.match(text):
        return text
    try:
        return text_of(parsed(text)) or text
    except ValueError:
        return text


def without(text: str, name: str) -> str:
    """Take elements of a name out of a text that may be XML, with all that is in them."""
    return re.sub(rf"<((?:\w+:)?{name})\b[^>]*>.*?</\1\s*>", "", text, flags=re.DOTALL | re.IGNORECASE)


def name_of(one: Element) -> str:
    """Name an element as it is compared: in lower case, without its namespace."""
    return one.tag.rpartition("}")[2].lower() if isinstance(one.tag, str) else ""


def children(one: Element, name: str) -> Iterator[Element]:
    """Give the children of a name, whatever its case."""
    wanted = name.lower()
    return (child for child in one if name_of(child) == wanted)


def child(one: Element, *path: str) -> Element | None:
    """Find the first element along a path of names; None where there is none."""
    found: Element | None = one
    for name in path:
        found = next(children(found, name), None) if found is not None else None
    return found


def text_of(one: Element | None, *path: str) -> str:
    """Give the text along a path as it stands, spaces too; empty where there is none."""
    found = child(one, *path) if one is not None else None
    return (found.text or "") if found is not None else ""


def fields(one: Element) -> Mapping[str, str]:
    """Give the texts of an element's children, by name."""
    return {field.tag.rpartition("}")[2]: field.text or "" for field in one}


def below(one: Element, name: str) -> Iterator[tuple[tuple[Element, ...], Element]]:
    """Find all elements of a name, however deep; each with those that it stands in, the outermost first."""
    wanted = name.lower()
    left: list[tuple[tuple[Element, ...], Element]] = [((), one)]
    while left:
        inside, here = left.pop()
        if name_of(here) == wanted:
            yield inside, here
        left += [((*inside, here), deeper) for deeper in reversed(here)]
