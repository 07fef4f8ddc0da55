"""The rules of an order line for matching (`docs/vendors/basware.md`)."""

from __future__ import annotations

from .codec import Record

_NET, _GROSS = ("netSum", "netPrice"), ("grossSum", "grossPrice")


def problem(line: Record, siblings: list[Record]) -> str | None:
    """Return the first rule that `line` breaks, given the other lines of its order, or None."""
    return _quantity(line) or _receipts(line) or _flags(line) or _amounts(line) or _order(line, siblings)


def _quantity(line: Record) -> str | None:
    if line["quantity"] <= 0:
        return "quantity must be higher than zero"
    if line["matchingMode"] in ("Blanket", "Service") and line["quantity"] != 1:
        return f"quantity must be 1 with matchingMode {line['matchingMode']}"
    return None


def _receipts(line: Record) -> str | None:
    mode = line["matchingMode"]
    if mode == "Service" and not (line.get("isReceiptRequired") and line.get("isReceiptBasedMatching")):
        return "isReceiptRequired and isReceiptBasedMatching must be true with matchingMode Service"
    if mode == "Blanket" and line.get("isReceiptRequired"):
        return "isReceiptRequired must not be true with matchingMode Blanket"
    return None


def _flags(line: Record) -> str | None:
    # (inferred) the vendor asks for a value where best-fit matching is used; this tenant uses it.
    return "isDeleted must have a value" if line.get("isDeleted") is None else None


def _kinds(line: Record) -> set[str]:
    given = {"net": _NET, "gross": _GROSS}
    return {kind for kind, names in given.items() if any(line.get(name) is not None for name in names)}


def _amounts(line: Record) -> str | None:
    return None if _kinds(line) else "net or gross amounts are required"


def _order(line: Record, siblings: list[Record]) -> str | None:
    """Compare with the other lines of the order: one kind of amount for all, no line number twice (inferred)."""
    if any(other["lineNumber"] == line["lineNumber"] for other in siblings):
        return f"line number {line['lineNumber']} is already used in the order"
    common = _kinds(line).intersection(*(_kinds(other) for other in siblings))
    return None if common else "net or gross amounts are required on the entire order"
