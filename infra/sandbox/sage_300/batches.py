"""A/P invoice batches: insert, change, status; duplicate numbers, closed periods (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from typing import Any

from . import entry, tax
from .coerce import coerce
from .errors import Refusal, in_use, invalid_payload, record_duplicate, record_invalid
from .fields import Record
from .world import World

NAME = "APInvoiceBatches"
_BY_CLIENT = ("Open", "ReadyToPost", "Deleted")
_HEADER = ("BatchDate", "Description", "BatchPrintedFlag", "SourceApplication", "ProcessCommandCode")


def create(world: World, body: Any) -> Record:
    """Insert a batch with its entries; all numbers are the server's. Nothing is kept when one entry is refused."""
    values = coerce("InvoiceBatch", body)
    batch: Record = {"BatchDate": world.today().isoformat(), "BatchStatus": "Open", "SourceApplication": "AP"}
    batch |= {name: values[name] for name in _HEADER if name in values}
    batch["Invoices"] = []
    for one in values.get("Invoices", []):
        invoice = entry.enter(world, one)
        refuse_duplicate(world, invoice, batch["Invoices"])
        refuse_closed(world, invoice)
        batch["Invoices"].append(invoice)
    if values.get("BatchStatus", "Open") != "Open":
        _set_status(world, batch, values["BatchStatus"])
    return keep(world, batch)


def keep(world: World, batch: Record) -> Record:
    """Number a new batch and its entries, and keep it."""
    batch["BatchNumber"] = world.number("batch", 101)
    _number(batch)
    return world.insert(NAME, batch)


def change(world: World, number: int, body: Any) -> None:
    """PATCH: status, header fields, entries by EntryNumber. Raises `Refusal`; then nothing has changed."""
    batch = world.find(NAME, number)
    values = coerce("InvoiceBatch", body)
    if values.get("BatchNumber", number) != number:
        raise invalid_payload("BatchNumber in the body differs from the address")
    if number in world.locked_batches:
        raise in_use(number)
    if batch["BatchStatus"] in ("Posted", "Deleted", "PostInProgress"):
        raise record_invalid(f"Batch {number} is {batch['BatchStatus']} and cannot be changed")
    opened = values.get("BatchStatus") == "Open" or batch["BatchStatus"] == "Open"
    if not opened and set(values) - {"BatchNumber", "BatchStatus", "ProcessCommandCode"}:
        raise record_invalid(f"Batch {number} is ready to post; open it before changing it")
    changed = batch | {name: values[name] for name in _HEADER if name in values}
    if "Invoices" in values:
        changed["Invoices"] = _entries(world, batch, values["Invoices"])
    if "BatchStatus" in values:
        _set_status(world, changed, values["BatchStatus"])
    _number(changed)
    world.stamp(NAME, changed)
    world.put(NAME, changed)


def _set_status(world: World, batch: Record, status: str) -> None:
    if status not in _BY_CLIENT:
        raise record_invalid(f"The batch status cannot be set to {status}")
    if status == "ReadyToPost":
        if not world.ready_to_post:
            raise record_invalid("The batch status ReadyToPost cannot be set in this version")
        if not batch["Invoices"]:
            raise record_invalid("A batch without entries cannot be made ready to post")
    batch["BatchStatus"] = status


def _entries(world: World, batch: Record, changes: list[Record]) -> list[Record]:
    """The entries after a PATCH: by number, updated, inserted or deleted."""
    found = {invoice["EntryNumber"]: invoice for invoice in batch["Invoices"]}
    for values in changes:
        number, operation = values.get("EntryNumber"), values.get("UpdateOperation", "Unspecified")
        if operation == "Delete":
            if found.pop(number, None) is None:
                raise record_invalid(f"Batch {batch['BatchNumber']} has no entry {number}")
        elif number in found and operation != "Insert":
            found[number] = _changed(world, found[number], values)
        else:
            invoice = entry.enter(world, values)
            refuse_duplicate(world, invoice, list(found.values()))
            refuse_closed(world, invoice)
            found[max(found, default=0) + 1] = invoice
    return list(found.values())


def _changed(world: World, invoice: Record, values: Record) -> Record:
    """Put the stated fields over an entry; details, where stated, replace the old ones."""
    stated = {name: invoice[name] for name in invoice if name not in values and name != "EntryNumber"}
    amounts = {f"TaxAmount{n}" for n in range(1, 6)}
    return entry.enter(world, {name: v for name, v in stated.items() if name not in amounts} | values)


def _number(batch: Record) -> None:
    """Give entries and details their numbers and the batch its sums."""
    for number, invoice in enumerate(batch["Invoices"], 1):
        keys = {"BatchNumber": batch["BatchNumber"], "EntryNumber": number}
        invoice.update(keys)
        for row in (*invoice["InvoiceDetails"], *(invoice.get("InvoicePaymentSchedules") or [])):
            row.update(keys)
    batch["NumberOfEntries"] = batch["LastEntryNumber"] = len(batch["Invoices"])
    batch["BatchTotal"] = sum((one["DocumentTotalIncludingTax"] for one in batch["Invoices"]), tax.ZERO)


def refuse_duplicate(world: World, invoice: Record, others: list[Record]) -> None:
    """Refuse a number that the vendor has already; switch `duplicates` "posting" leaves that to the posting."""
    if world.duplicates == "insert" and taken(world, invoice, others):
        raise record_duplicate(
            f"Document number '{invoice['DocumentNumber']}' exists already for vendor '{invoice['VendorNumber']}'"
        )


def taken(world: World, invoice: Record, others: list[Record]) -> bool:
    """Whether the document number is used: posted, in an unposted batch, or among `others`."""
    key = (invoice["VendorNumber"], invoice["DocumentNumber"])
    if key in world.tables["APPostedDocuments"]:
        return True
    waiting = [b for b in world.tables[NAME].values() if b["BatchStatus"] not in ("Posted", "Deleted")]
    entries = [one for batch in waiting for one in batch["Invoices"]]
    return any((one["VendorNumber"], one["DocumentNumber"]) == key for one in [*entries, *others])


def refuse_closed(world: World, invoice: Record) -> None:
    """Refuse a posting date in a closed period; switch `locked_period` "posting" leaves that to the posting."""
    if world.locked_period == "insert" and (text := closed(world, invoice)):
        raise Refusal(400, "RecordInvalid", text)


def closed(world: World, invoice: Record) -> str:
    """Why nothing can be posted on the posting date, or ""."""
    day = invoice["PostingDate"]
    year = world.get("CSFiscalCalendars", day[:4])
    if year is None or year.get("Active") == "No":
        return f"Fiscal year {day[:4]} of posting date {day} does not exist or is not active"
    if day[:7] in world.closed_periods:
        return f"Fiscal period {day[:4]} - {day[5:7]} of posting date {day} is locked for Accounts Payable"
    return ""
