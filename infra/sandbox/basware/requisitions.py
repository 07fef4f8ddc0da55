"""How P2P judges an imported purchase requisition: it is created once, and never changed (V)."""

from __future__ import annotations

from collections.abc import Mapping, Set

from .codec import Record

MOST_LINES = 200


def problem(record: Record, present: Mapping[str, Record], units: Set[str]) -> str | None:
    """Say why a requisition is not imported; None where it is.

    The API layer takes a requisition again, the target does not: from then on the two differ. (inferred) The same
    again is an error as well: the vendor exempts nothing.
    """
    code = record["externalCode"]
    if code in present:
        return "A purchase requisition cannot be updated"
    if any(other["extDocumentNumber"] == record["extDocumentNumber"] for other in present.values()):
        return f"extDocumentNumber {record['extDocumentNumber']} is already used"
    return _header(record, units) or _lines(record["lines"])


def as_imported(record: Record, suppliers: Set[str]) -> tuple[Record, list[str]]:
    """Give the requisition as P2P keeps it, without suppliers that it does not know, and those that it emptied."""
    wrong = [line["supplierCode"] for line in record["lines"] if line.get("supplierCode") not in {None, "", *suppliers}]
    lines = [
        {name: value for name, value in line.items() if name != "supplierCode" or value not in wrong}
        for line in record["lines"]
    ]
    return {**record, "lines": lines}, list(dict.fromkeys(wrong))


def _header(record: Record, units: Set[str]) -> str | None:
    named = [record[n] for n in ("organizationUnitCode", "organizationIdentifier") if record.get(n)]
    if len(named) != 1:
        return "Either organizationUnitCode or organizationIdentifier is required, and not both"
    if named[0] not in units:
        return f"Organization {named[0]} was not found"
    if not any(record.get(name) for name in ("ownerEmail", "ownerLogin", "ownerExternalCode")):
        return "The owner of the requisition is missing"  # (inferred) no field of it is required by the schema
    return None


def _lines(lines: list[Record]) -> str | None:
    refunds = [line for line in lines if line.get("refundLine")]
    wrong = {
        f"A requisition has 1 to {MOST_LINES} lines, and this one has {len(lines)}": not 1 <= len(lines) <= MOST_LINES,
        "extRequisitionLineNumber is used by two lines": _repeats("extRequisitionLineNumber", lines),
        "All lines must have the same currencyCode": len({line["currencyCode"] for line in lines}) > 1,
        "At least one line must have a positive quantity": all((line.get("quantity") or 0) <= 0 for line in lines),
        "A requisition needs at least one line that is no refund line": len(refunds) == len(lines),
        "The price of a refund line must be negative": any((line.get("unitPrice") or 0) >= 0 for line in refunds),
        "A requisition line can have only one coding row": any(len(line.get("codingRows") or []) > 1 for line in lines),
    }
    return next((said for said, is_so in wrong.items() if is_so), None)


def _repeats(name: str, lines: list[Record]) -> bool:
    return len({line[name] for line in lines}) < len(lines)
