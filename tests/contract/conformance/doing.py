"""Does with a system whatever a case is about, once: reads a page, looks for a document, sends a record."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from ml_connector.connection import Connection
from ml_connector.records import Account, Address, CostCenter, OrderLine, PurchaseOrder, Receipt, Record, Supplier
from tests.contract.conformance.cases import Case
from tests.contract.conformance.reading import leaves
from tests.contract.conformance.stand import Stand


def use(stand: Stand, connection: Connection, case: Case) -> Any:
    """Do one thing that needs the server, and changes nothing that the next time would miss."""
    if case.role == "source":
        return next(leaves(connection, case))
    target: Any = connection.target(case.record)
    if case.manner == "enrichment":
        return target.read(min(stand.keys(Supplier)))
    if case.manner == "document":
        return target.look(target.trace(stand.document(case.record, "use", "10.00"), stand.codes))
    batch = [target.render(sample(case.record, 1), stand.codes)]
    return target.send(target.stages[0], batch)


def sample(record: type[Record], nth: int, /, **fields: Any) -> Any:
    """Make a master record or an order, valid everywhere; `fields` overrule."""
    code = f"K{nth}"
    plain: dict[str, Any] = {"key": f"key-{nth}", "code": code, "name": f"Name {nth}"}
    if record is Supplier:
        address = Address(key="main", street="Main Street 1", city="Köln", postal_code="50667", country="DE")
        plain |= {"currency": "EUR", "payment_term": "N30", "email": f"a{nth}@supplier.example"}
        plain |= {"vat_number": f"DE{nth:09d}", "addresses": (address,)}
    elif record is PurchaseOrder:
        plain = {
            "key": f"key-{nth}",
            "number": f"PO{nth}",
            "supplier": "K1",
            "currency": "EUR",
            "created": date(2026, 2, 1),
            "lines": (order_line(1), order_line(2)),
        }
    elif record not in {Account, CostCenter}:
        raise AssertionError(f"tell here what a valid {record.__name__} is")
    return record(**{**plain, **fields})


def order_line(number: int, **fields: Any) -> OrderLine:
    """Make an order's line, half received."""
    got = Receipt(key=f"r{number}", number=f"GR{number}", quantity=Decimal(5), received_on=date(2026, 2, 3))
    plain: dict[str, Any] = {
        "key": str(number),
        "number": str(number),
        "quantity": Decimal(10),
        "net": Decimal("123.40"),
        "unit_price": Decimal("12.34"),
        "account": "K1",
        "cost_center": "K1",
        "tax_code": "V2",
        "unit": "EA",
        "receipts": (got,),
    }
    return OrderLine(**{**plain, **fields})
