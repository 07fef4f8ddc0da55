"""XML as e.net takes and gives it: no document type, so no entity can be declared; Windows-1252 on the way out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from .errors import Refusal

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

DEEPEST = 40
HEADER = '<?xml version="1.0" encoding="Windows-1252"?>'


@dataclass
class Node:
    """An element with its text and its children; names are compared with case, as the schemas spell them."""

    name: str
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, name: str) -> list[Node]:
        """The children of this name."""
        return [child for child in self.children if child.name == name]

    def first(self, name: str) -> Node | None:
        """The first child of this name."""
        return next((child for child in self.children if child.name == name), None)

    def has(self, name: str) -> bool:
        """Whether there is a child of this name, empty or not."""
        return self.first(name) is not None

    def get(self, name: str, default: str = "") -> str:
        """The text of a child; `default` where there is none, or none in it. Only spaces around it are lost."""
        child = self.first(name)
        return (child.text.strip() if child is not None else "") or default

    def raw(self, name: str) -> str:
        """The text of a child with its leading spaces, which belong to keys."""
        child = self.first(name)
        return child.text.strip("\r\n\t").rstrip() if child is not None else ""


def parse(text: str, what: str) -> Node:
    """Read a document; raises `Refusal` for what is not well-formed, declares a document type or is nested too deep."""
    try:
        # The text has been decoded already: what its declaration says of an encoding is as void as in .NET.
        return _node(fromstring(text.lstrip("\ufeff \r\n\t"), forbid_dtd=True), what, 0)
    except DefusedXmlException:
        raise Refusal(f"{what} may not declare a document type") from None
    except (ParseError, ValueError) as error:
        raise Refusal(f"{what} is not well-formed: {error}") from None


def _node(found: Element, what: str, depth: int) -> Node:
    if depth > DEEPEST:
        raise Refusal(f"{what} is nested too deeply")
    text = (found.text or "") + "".join(child.tail or "" for child in found)
    return Node(found.tag, text, [_node(child, what, depth + 1) for child in found])


def stored(text: str) -> str:
    """What remains of a text in a company whose code page is Windows-1252 (inferred)."""
    return text.encode("cp1252", "replace").decode("cp1252")


def element(name: str, *inner: str | Iterable[str], text: str | None = None) -> str:
    """Write an element; `text` is escaped, `inner` is XML already. An empty one is `<X/>`."""
    body = escape(text, quote=False) if text is not None else "".join(_flat(inner))
    return f"<{name}>{body}</{name}>" if body else f"<{name}/>"


def _flat(parts: Iterable[str | Iterable[str]]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        else:
            yield from part


def document(root: str, version: str, *inner: str | Iterable[str]) -> str:
    """Write an answer with the attributes that every one has, single-quoted."""
    attributes = (
        f"Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01' Version='{version}' "
        "OperatorPrimaryRole='   '"
    )
    return f"{HEADER}<{root} {attributes}>{''.join(_flat(inner))}</{root}>"
