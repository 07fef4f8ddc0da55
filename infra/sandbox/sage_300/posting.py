"""APPostInvoices: posts ready batches, answers nothing, and puts what fails into an error batch.

An original batch counts as Posted also when entries of it failed: those are in a new open batch (whether they leave
the old one is the switch `failed_entries`), and APPostingErrorMessages says why (inferred from how the product behaves
on the desktop).
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from . import batches, distributions, entry, tax
from .coerce import coerce
from .errors import Refusal, in_use, invalid_action
from .fields import Record, words
from .world import World

_TEMPLATE: Record = {"ProcessAllBatches": "Donotpostallbatches", "FromBatch": 0, "ToBatch": 0}
_BOOKED = words(
    "VendorNumber DocumentNumber DocumentType BatchNumber EntryNumber OrderNumber PONumber DocumentDate AsOfDate "
    "DueDate PostingDate FiscalYear FiscalPeriod Terms CurrencyCode ExchangeRate DocumentTotalIncludingTax"
)


def run(world: World, key_text: str | None, body: Any) -> Record | None:
    """POST with '$template' gives all defaults; with '$process' it posts and gives None (no body)."""
    word = (key_text or "").strip().strip("'")
    if word == "$template":
        return dict(_TEMPLATE)
    if word != "$process":
        raise invalid_action("Use '$process' or '$template' as the key")
    values = _TEMPLATE | coerce("PostInvoices", body)
    every = values["ProcessAllBatches"] == "Postallbatches"
    ready = [
        batch
        for batch in world.rows(batches.NAME)
        if batch["BatchStatus"] == "ReadyToPost"
        and (every or values["FromBatch"] <= batch["BatchNumber"] <= values["ToBatch"])
    ]
    for batch in ready:
        if batch["BatchNumber"] in world.locked_batches:
            raise in_use(batch["BatchNumber"])
    for batch in ready:
        post(world, batch)
    return None


def post(world: World, batch: Record) -> None:
    """Post one batch; entries that cannot be posted move to an error batch."""
    sequence = world.number("posting")
    good: list[Record] = []
    bad: list[tuple[Record, str]] = []
    for invoice in batch["Invoices"]:
        why = _obstacle(world, invoice, good)
        bad.append((invoice, why)) if why else good.append(invoice)
    for invoice in good:
        _book(world, batch, invoice, sequence)
    batch |= {"BatchStatus": "Posted", "PostingSequenceNumber": sequence, "NumberOfErrors": len(bad)}
    if world.failed_entries == "moved":
        batch |= {"Invoices": good, "NumberOfEntries": len(good)}
    else:
        bad = [(deepcopy(invoice), why) for invoice, why in bad]
    world.stamp(batches.NAME, batch)
    if bad:
        _error_batch(world, batch, bad, sequence)


def _obstacle(world: World, invoice: Record, others: list[Record]) -> str:
    """Why this entry cannot be posted, or ""."""
    difference = tax.out_of_balance(invoice)
    if difference:
        return f"Document is out of balance by {difference}: total differs from distributions and tax"
    if why := batches.closed(world, invoice):
        return why
    key = (invoice["VendorNumber"], invoice["DocumentNumber"])
    again = [one for one in others if (one["VendorNumber"], one["DocumentNumber"]) == key]
    if key in world.tables["APPostedDocuments"] or again:
        return f"Document number '{key[1]}' exists already for vendor '{key[0]}'"
    try:
        entry.active_vendor(world, invoice["VendorNumber"])
        for line in invoice["InvoiceDetails"]:
            distributions.gl_account(world, line["GLAccount"])
    except Refusal as refusal:
        return refusal.text
    return ""


def _book(world: World, batch: Record, invoice: Record, sequence: int) -> None:
    """Write the posted document; the vendor's activity moves, its maintenance date does not."""
    document = {name: invoice[name] for name in _BOOKED if name in invoice}
    document |= {"BatchDate": batch["BatchDate"], "PostingSequenceNumber": sequence}
    document |= {"DocumentDescription": invoice.get("InvoiceDescription", ""), "FullyPaid": "No"}
    sign = -1 if invoice["DocumentType"] == "CreditNote" else 1
    document["DocumentBalance"] = sign * invoice["DocumentTotalIncludingTax"]
    world.put("APPostedDocuments", document)
    vendor = world.find("APVendors", invoice["VendorNumber"])
    vendor |= {"DateOfLastInvoice": invoice["DocumentDate"], "DateOfLastActivity": world.today().isoformat()}


def _error_batch(world: World, batch: Record, bad: list[tuple[Record, str]], sequence: int) -> None:
    text = f"Error batch of batch {batch['BatchNumber']}"
    fresh: Record = {"BatchDate": batch["BatchDate"], "BatchStatus": "Open", "Description": text}
    fresh |= {"SourceApplication": "AP", "BatchType": "Generated"}
    old = [(invoice["EntryNumber"], invoice, why) for invoice, why in bad]
    fresh["Invoices"] = [invoice for invoice, _ in bad]
    batches.keep(world, fresh)
    for position, (number, invoice, why) in enumerate(old, 1):
        error = {"PostingSequenceNumber": sequence, "SequenceNumber": position, "EntryNumber": number}
        error |= {"BatchNumber": batch["BatchNumber"], "ErrorBatchNumber": fresh["BatchNumber"], "ErrorMessage": why}
        if world.error_names:
            error |= {name: invoice[name] for name in ("VendorNumber", "DocumentNumber")}
        world.put("APPostingErrorMessages", error)
