"""The rules of the house for the vendors' folders: the same part has the same file name in each, and none grows.

`vendor_budgets.json` has the files and lines of each folder. A number may only fall: `python -m
tests.unit.test_house_vendors` writes lower ones, and refuses higher ones. A vendor that is not in it is new.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

SYSTEMS = Path(__file__).parents[2] / "layers/connector/ml_connector/systems"
BUDGETS = Path(__file__).with_name("vendor_budgets.json")
NEW = {"files": 12, "lines": 1_500}
"""What a new vendor may take: the rest of it is in the kit."""
PARTS = {
    "__init__": "what the registry loads",
    "settings": "the secret",
    "profile": "paths, fields and words of a server that differs from customer to customer",
    "login": "how the server is logged in to, over `kit/login`",
    "rights": "which scopes a login asks for, and what needs them",
    "client": "the server as a handful of verbs",
    "entities": "what is read and written: classes, keys, and each field's name in every dialect",
    "dialects": "what is the vendor's own in the dialects of reading and writing that the kit speaks",
    "soap": "another dialect, by which documents are imported, over `kit/soap`",
    "query": "what is asked of a list, in filters that an address holds",
    "metadata": "which resources and fields a server has",
    "fields": "field names and their conversions",
    "rows": "rows as they come",
    "faults": "what its refusals say, and its `kit.faults.Dialect`",
    "limits": "lengths of fields and sizes of calls",
    "connection": "sources, targets, and the checks of `ping`",
    "webhook": "its notifications, verified and parsed",
    "subscriptions": "what it notifies of",
    "masters": "suppliers and what else is read in bulk, over `kit/masters`",
    "suppliers": "suppliers that it takes changes of",
    "accounts": "accounts and cost centers, where they need more than `masters`",
    "companies": "which companies of it a tenant means",
    "orders": "purchase orders: its `kit.orders.Purchasing`, or their target, and those of its own that it tells of",
    "requisitions": "purchase requisitions: orders that are created there once and never changed",
    "receipts": "goods receipts and returns, over `kit.orders.ReceiptBook`",
    "extracts": "documents named in files that it makes now and then, over `kit.extracts`",
    "invoices": "its `kit.invoices.Payables`, or the source of invoices",
    "invoice_document": "an invoice as it comes, and the record made of it",
    "lines": "the lines of an invoice",
    "taxes": "the tax of a line",
    "ordered_goods": "what an order still has to be drawn on",
    "documents": "documents as they stand there, and how one is found",
    "posting": "the steps after a document was entered",
    "lookups": "what is looked up for an invoice, and remembered",
    "payments": "payments, read or written",
    "supplier_invoices": "invoices of the ERP on their way to be approved and paid: their source, or their target",
    "invoice_status": "how these stand: its source, or where it is written",
    "payloads": "records in its words, where it takes them in bulk",
    "upserts": "the target of records in bulk",
    "verdicts": "what became of an import",
    "enrichment": "what people change there of suppliers, and how that is left alone",
    "hand_edits": "what people edit there of dimensions, and how that is left alone",
}
"""The name that a part has in every vendor's folder. A new part gets its name here first."""


def folders() -> list[Path]:
    return sorted(p for p in SYSTEMS.iterdir() if p.is_dir() and p.name[0] != "_" and p.name != "kit")


def size(folder: Path) -> dict[str, int]:
    files = list(folder.rglob("*.py"))
    return {"files": len(files), "lines": sum(len(path.read_text().splitlines()) for path in files)}


def over(found: dict[str, int], budget: dict[str, int]) -> list[str]:
    return [f"{count} {what}, and {budget[what]} at most" for what, count in found.items() if count > budget[what]]


vendors = pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)


@vendors
def test_a_part_has_the_same_file_name_in_every_vendors_folder(folder: Path) -> None:
    named = {path.stem for path in folder.rglob("*.py")}
    assert not named - PARTS.keys(), f"{folder.name} has parts without a name"


def test_no_name_is_kept_for_nothing() -> None:
    named = {path.stem for folder in folders() for path in folder.rglob("*.py")}
    assert not PARTS.keys() - named


@vendors
def test_no_vendors_folder_grows(folder: Path) -> None:
    """What it needs more is written in the kit, or takes the place of something."""
    budget = json.loads(BUDGETS.read_text()).get(folder.name, NEW)
    assert not over(size(folder), budget), f"{folder.name} has grown"


def main() -> int:
    """Write lower numbers; refuse higher ones."""
    budgets = json.loads(BUDGETS.read_text())
    for folder in folders():
        found = size(folder)
        if grown := over(found, budgets.get(folder.name, NEW)):
            print(f"{folder.name}: {'; '.join(grown)}")
            return 1
        budgets[folder.name] = found
    BUDGETS.write_text(json.dumps(budgets, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
