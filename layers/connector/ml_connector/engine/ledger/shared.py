"""What both sides of a record last agreed on, by field: the base of a comparison of three.

The record's row keeps it, in the flow that sends it. Against it shows on which side a field was changed since: in the
ERP alone, then it is sent to the platform; at the platform, then it flows to the ERP (of suppliers, where a flow
enriches them), or is left there (`write/hand_edits.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import msgspec

from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Row, SharedField, dump
from ml_connector.enrichment import FIELDS, TERM
from ml_connector.errors import LeaseLost
from ml_connector.ports import Item
from ml_connector.records import Record, Supplier, SupplierEnrichment

NEVER = SharedField()
TRIES = 8
ACTIVE = "active."
"""Begins the name of a field that tells whether a record is in use."""


def values(record: Record | None) -> dict[str, str]:
    """Give the shared fields of a supplier or an enrichment; "" where one is empty."""
    return {name: str(getattr(record, name, None) or "").strip() for name in FIELDS}


def without(record: Record) -> Record:
    """Give a supplier without the shared fields: what alone decides whether it has changed otherwise."""
    if not isinstance(record, Supplier):
        return record
    return msgspec.structs.replace(record, payment_term=None, payment_term_name=None, tax_id=None, vat_number=None)


def is_seen(record: Record, row: Row, *, agreed: bool) -> bool:
    """Tell whether a supplier's shared fields are those that the ERP had when it was last completed.

    `agreed`: ask too whether both sides agreed on them; a change that was kept back is looked at once a day.
    """
    known = row.shared
    return known is not None and all(
        value == (field := known.get(name, NEVER)).seen
        and (not agreed or (field.platform is not None and field.erp == value))
        for name, value in values(record).items()
    )


def is_agreed(
    record: SupplierEnrichment, known: Mapping[str, SharedField], became: Callable[[str], str | None]
) -> bool:
    """Tell whether all that the platform shows of a supplier is what both sides agreed on.

    What is empty there changes nothing in the ERP. `became` tells what a payment term is mapped to by now.
    """
    return all(stands(name, value, known.get(name), became) for name, value in values(record).items() if value)


def stands(name: str, value: str, known: SharedField | None, became: Callable[[str], str | None]) -> bool:
    """Tell whether a value of the platform is the agreed one. One that came from there follows its mapping."""
    if known is None or known.platform != value or known.writing is not None:
        return False
    return not (known.enriched and name == TERM and became(value) not in {None, known.erp})


def read(ledger: Ledger, key: str) -> dict[str, SharedField]:
    """Read how a supplier's shared fields stand, by its key in the ERP."""
    found = ledger.rows([key], consistent=True).get(key)
    return dict((found[0].shared if found else None) or {})


def by_code(ledger: Ledger, codes: Sequence[str], mapped: Mapping[str, str]) -> dict[str, dict[str, SharedField]]:
    """Read how suppliers stand by their codes at the platform; `mapped` has those that a person mapped."""
    keys = {code: mapped.get(code, code) for code in codes}
    rows = {key: row for key, (row, _) in ledger.rows(list(dict.fromkeys(keys.values()))).items()}
    found = {}
    for code, key in keys.items():
        row = rows.get(key)
        if code not in mapped and (row is None or row.code != code) and (other := ledger.alias(code)) is not None:
            row = next((row for row, _ in ledger.rows([other]).values()), None)
        found[code] = dict((row.shared if row else None) or {})
    return found


def begin(ledger: Ledger, key: str, changes: Mapping[str, str]) -> None:
    """Write down what is about to be written into the ERP: a chunk that dies there may never tell."""
    known = read(ledger, key)
    agree(ledger, key, {n: msgspec.structs.replace(known.get(n, NEVER), writing=value) for n, value in changes.items()})


def agree(ledger: Ledger, key: str, agreed: Mapping[str, SharedField]) -> None:
    """Write down what both sides of a supplier agree on from now on. Raises `LeaseLost` where its row changes on."""
    agree_all(ledger, {key: agreed})


def agree_all(
    ledger: Ledger, agreed: Mapping[str, Mapping[str, SharedField]], codes: Mapping[str, str] | None = None
) -> None:
    """Write the same down of many records, in few calls; those of which it stands there already cost a read only.

    `codes`: under which some of them stand there, though we may never have sent them. Others may refer to these.
    """
    left = dict(agreed)
    for _ in range(TRIES):
        rows = ledger.rows(list(left), consistent=True) if left else {}
        items: dict[str, Item] = {}
        for key, fields in left.items():
            row, item = rows.get(key) or (Row(), Item(ledger.pk, f"r#{key}"))
            code = row.code or (codes or {}).get(key)
            if not (row.shared or {}).items() >= fields.items() or row.code != code:
                row.shared, row.code = {**(row.shared or {}), **fields}, code
                items[key] = replace(item, data=dump(row))
        taken = ledger.store.put_many(list(items.values())) if items else []
        left = {key: left[key] for key, ok in zip(items, taken, strict=True) if not ok}
        if not left:
            return
    raise LeaseLost(f"{', '.join(sorted(left)[:5])} changed again and again while it was written; it is tried later.")


def deactivated(known: Mapping[str, SharedField] | None) -> dict[str, SharedField] | None:
    """Give what is agreed on of a record that we have deactivated: that it is inactive is nobody's edit."""
    if known is None:
        return None
    off = SharedField(erp="false", platform="false")
    return {name: off if name.startswith(ACTIVE) else was for name, was in known.items()}
