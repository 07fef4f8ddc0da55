"""Lines of a supplier's invoice that make its total, for a system that knows of no tax: each line carries its own.

Where the tax is told for the whole invoice only, it is a line by itself, coded as the first one.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ml_connector.errors import Held
from ml_connector.records import CodingRow, SupplierInvoice

TAX = "Tax"


def lines_with_tax(invoice: SupplierInvoice, tolerance: Decimal) -> list[tuple[CodingRow, Decimal]]:
    """Give each line with what it is worth, tax and all. Raises `Held` where a line lacks account or amount, or the
    lines do not make the total; a rounding difference up to `tolerance` goes to the last one.
    """
    this = f"invoice {invoice.number} ({invoice.gross} {invoice.currency}, supplier {invoice.supplier})"
    lines = [(row, _worth(row)) for row in invoice.rows]
    bare = [n for n, (row, worth) in enumerate(lines, 1) if not row.account or worth is None]
    if bare or not lines:
        which = f"line {bare[0]} of {this}" if bare else this
        raise Held(
            f"lookup:{invoice.key}",
            f"There is no GL account or amount for {which}, and nothing is submitted without. Code it in the ERP, and "
            "it resumes automatically.",
        )
    made: list[tuple[CodingRow, Decimal]] = [(row, worth) for row, worth in lines if worth is not None]
    left = invoice.gross - sum((worth for _, worth in made), Decimal(0))
    if left and left == invoice.tax:
        first = made[0][0]
        made.append((msgspec.structs.replace(first, key=f"{first.key}~tax", description=TAX, order_number=None), left))
    elif abs(left) <= tolerance:
        made[-1] = (made[-1][0], made[-1][1] + left)
    else:
        raise Held(
            f"conflict:{invoice.key}",
            f"The lines of {this} make {invoice.gross - left}, {left} less than its total. Correct them in the ERP, "
            "and it resumes automatically.",
        )
    return made


def _worth(row: CodingRow) -> Decimal | None:
    if row.gross is not None or row.net is None:
        return row.gross
    return row.net + (row.tax or 0)
