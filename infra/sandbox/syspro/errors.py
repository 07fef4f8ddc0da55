"""How the simulated server says no: a text under 200 (e.net), a status (OData), an error inside an item.

Of the numbers 100028 (date), 100030 (blank) and 240004 (stock code) are documented; the others are this sandbox's own.
"""

from __future__ import annotations

from dataclasses import dataclass

NOT_LICENSED = "e.net exception raised: 100000"
BLANK, NOT_A_DATE, WRONG, NOT_FOUND, EXISTS, SUM, PERIOD = 100030, 100028, 100031, 100032, 100033, 100034, 100035


class Refusal(Exception):
    """A whole call is refused; e.net answers `ERROR: text` under 200."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class ODataRefusal(Exception):
    """The OData service refuses a request."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True)
class Complaint:
    """What is wrong with one field of an item; `inside` names the element that holds it, such as LedgerDistribution."""

    field: str
    value: str
    number: int
    text: str
    inside: str = ""


class ItemRefused(Exception):
    """One item of a document is refused."""

    def __init__(self, complaint: Complaint) -> None:
        super().__init__(complaint.text)
        self.complaint = complaint


def wrong(field: str, value: str, text: str, number: int = WRONG, inside: str = "") -> ItemRefused:
    """Refuse an item for the value of a field."""
    return ItemRefused(Complaint(field, value, number, text, inside))


def blank(field: str, inside: str = "") -> ItemRefused:
    """Refuse an item for a field that must hold something."""
    return wrong(field, "", f"XML element '{{{inside or 'Item'}}}{{{field}}}' cannot be spaces", BLANK, inside)
