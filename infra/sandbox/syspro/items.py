"""What posting objects have in common: parameters, items, what is applied when, and how the outcome is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .errors import NOT_A_DATE, Complaint, ItemRefused, Refusal, blank, wrong
from .markup import Node, document, element, parse
from .world import World

Parameters = dict[str, str]
Known = dict[str, tuple[str, str]]
"""Parameter to its default and the letters that it may be; no letters: any value."""
COMMON: Known = {
    "IgnoreWarnings": ("N", "NYW"),
    "ApplyIfEntireDocumentValid": ("Y", "YN"),
    "ValidateOnly": ("N", "NY"),
}


@dataclass
class Outcome:
    """What becomes of one item. `apply` books it and gives its answer."""

    apply: Callable[[], str] = str
    complaints: list[Complaint] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    answer: str = ""
    applied: bool = False


def parameters(xml: str, root: str, known: Known) -> Parameters:
    """Read XmlParameters; what is blank or missing has its default, what is unknown is ignored. Raises `Refusal`."""
    found = {name: default for name, (default, _) in known.items()}
    if not xml.strip():
        return found
    top = parse(xml, "XmlParameters")
    holder = top.first("Parameters")
    if top.name != root or holder is None:
        raise Refusal(f"XmlParameters are not those of {root}")
    for name, (default, letters) in known.items():
        found[name] = holder.get(name, default)
        if letters and (len(found[name]) != 1 or found[name] not in letters):
            raise Refusal(f"Parameter {name} cannot be '{found[name]}'")
    return found


def items(xml: str, root: str) -> list[Node]:
    """Read the items of a document; raises `Refusal` for another one."""
    top = parse(xml, "XmlIn")
    if top.name != root:
        raise Refusal(f"XmlIn is not a {root}")
    return top.all("Item")


def run(world: World, nodes: list[Node], options: Parameters, check: Callable[[Node], Outcome]) -> list[Outcome]:
    """Check every item, then apply what may be: all or nothing, unless the document says otherwise."""
    found = [_checked(node, check) for node in nodes]
    held = [bool(one.complaints) or (bool(one.warnings) and options["IgnoreWarnings"] == "N") for one in found]
    if options["ValidateOnly"] == "Y" or (any(held) and options["ApplyIfEntireDocumentValid"] == "Y"):
        return found
    with world.lock:
        for one, stays in zip(found, held, strict=True):
            if not stays:
                one.answer, one.applied = one.apply(), True
    return found


def _checked(node: Node, check: Callable[[Node], Outcome]) -> Outcome:
    try:
        return check(node)
    except ItemRefused as error:
        return Outcome(complaints=[error.complaint])


def answer(world: World, root: str, options: Parameters, found: list[Outcome]) -> str:
    """Write the answer of a posting: items, then the counts, where this installation gives any."""
    quiet = options["IgnoreWarnings"] == "Y"
    entire = options["ApplyIfEntireDocumentValid"] == "Y" and any(_stopped(one, options) for one in found)
    valid = [not _stopped(one, options) for one in found]
    processed = 0 if entire else sum(valid)
    both = list(zip(found, valid, strict=True))
    warned = 0 if entire or quiet else sum(bool(one.warnings) and fine for one, fine in both)
    counts = {
        "ItemsProcessed": processed,
        "ItemsInvalid": sum(bool(one.complaints) for one in found),
        "ItemsRejectedWithWarnings": sum(not one.complaints and not fine for one, fine in both),
        "ItemsProcessedWithWarnings": warned,
    }
    body = [_item(world, number, one, quiet=quiet) for number, one in enumerate(found, 1)]
    return document(root, world.version, body, status(world, counts, all(valid)))


def status(world: World, counts: dict[str, int], clean: bool, digits: int | None = None) -> str:
    """Write the counts, padded with zeros; empty where the installation leaves them out."""
    width = world.digits if digits is None else digits
    if world.status_of_items == "never" or (world.status_of_items == "refused" and clean):
        return ""
    return element("StatusOfItems", [element(n, text=f"{count:0{width}d}") for n, count in counts.items()])


def _stopped(one: Outcome, options: Parameters) -> bool:
    return bool(one.complaints) or (bool(one.warnings) and options["IgnoreWarnings"] == "N")


def _item(world: World, number: int, one: Outcome, *, quiet: bool) -> str:
    warnings = [] if quiet else [element("WarningDescription", text=text) for text in one.warnings]
    return element(
        "Item",
        one.answer,
        element("ItemNumber", text=f"{number:0{world.digits}d}"),
        [complaint(world, what) for what in one.complaints],
        element("WarningMessages", warnings) if warnings else "",
    )


def complaint(world: World, what: Complaint) -> str:
    """Write an error as a child of the field that it is about, whose name some objects give in lower case."""
    name = what.field.lower() if world.error_case == "lower" else what.field
    inner = element(
        name,
        element("Value", text=what.value),
        element("ErrorNumber", text=str(what.number)),
        element("ErrorDescription", text=what.text),
    )
    return element(what.inside, inner) if what.inside else inner


# ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────


def needed(node: Node, name: str, inside: str = "") -> str:
    """A value that must be there, its leading spaces kept; refuses the item without it."""
    text = node.raw(name)
    if not text.strip():
        raise blank(name, inside)
    return text


def amount(node: Node, name: str, inside: str = "", default: str = "", decimals: int = 2) -> Decimal:
    """A number without thousands; refuses the item for another, or for more decimals than there may be."""
    text = node.get(name, default)
    if not text:
        raise blank(name, inside)
    if not re.fullmatch(rf"-?\d{{1,12}}(\.\d{{1,{decimals}}})?", text, re.ASCII):
        raise wrong(name, text, f"'{text}' is not a number with at most {decimals} decimals", inside=inside)
    return Decimal(text)


def day(node: Node, name: str, inside: str = "") -> str:
    """A date CCYY-MM-DD, or "" where the element is blank; refuses the item for anything else."""
    text = node.get(name)
    try:
        if text and date.fromisoformat(text).isoformat() != text:
            raise ValueError
    except ValueError:
        raise wrong(name, text, f"Date '{text}' is not in the format CCYY-MM-DD", NOT_A_DATE, inside) from None
    return text


def letter(node: Node, name: str, allowed: str, default: str, inside: str = "") -> str:
    """One of some letters; refuses the item for anything else."""
    text = node.get(name, default)
    if len(text) != 1 or text not in allowed:
        raise wrong(name, text, f"'{text}' is not one of {', '.join(allowed)}", inside=inside)
    return text
