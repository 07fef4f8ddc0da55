"""Invoices named in extracts of the Data Access API (`docs/vendors/basware.md`): each is read by its id then.

The columns of the tables are published nowhere: they are found by name, and what is not known to be unapproved is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ml_connector.errors import Transient
from ml_connector.systems.basware.client import Basware, quoted
from ml_connector.systems.kit.extracts import Columns, File, Named

PATH, WAITING = "/v1/dataExtracts", "WaitingForExport"
TABLES = {"IA_INVOICE": True, "IA_CODING_ROW": False}
"""The tables that name invoices, and whether a row is one."""
LATER = "new received inapproval inapprovalprocess unapproved rejected removed returned cancelled transferred paid"
"""What a status says of an invoice that is not to be posted now: one that is approved later is in a later extract."""


class Extracts:
    """The `kit.extracts.Extracts` of one tenant."""

    def __init__(self, client: Basware) -> None:
        """Read the invoices of the tenant's companies."""
        self._client, self._counts = client, dict[str, int]()
        self._columns = Columns(
            ("invoiceid", "id"),
            "invoicenumber",
            "suppliercode",
            "companycode",
            ("status", "invoicestatus", "processingstatus"),
            frozenset(LATER.split()),
            frozenset(client.settings.companies),
        )

    def waiting(self) -> list[str]:
        """Name the extracts that wait, by when they were made."""
        pages = self._client.list(PATH, "dataExtracts", {"processingStatus": WAITING})
        found = [one for page in pages for one in page if isinstance(one, dict) and one.get("id")]
        found = [one for one in found if one.get("processingStatus") == WAITING]
        self._counts = {str(one["id"]): int(one.get("fileCount") or 0) for one in found}
        return [str(one["id"]) for one in sorted(found, key=lambda one: _moment(str(one.get("extractDate"))))]

    def documents(self, extract: str) -> Iterator[Named] | None:
        """Name the invoices of an extract; None where it has none of their tables. Raises `Transient`."""
        files, wanted = self._client.get(f"{PATH}/{quoted(extract)}") or [], self._counts.get(extract, 0)
        files = [one for one in files if isinstance(one, dict)] if isinstance(files, list) else []
        if len(files) < wanted:
            raise Transient(f"Basware shows {len(files)} of {wanted} files of extract {extract}; it is read later.")
        ours = [
            File(
                f"{one.get('fileName')} of Basware's extract {extract}",
                headers,
                partial(self._client.file, str(one.get("downloadUrl")), PATH),
            )
            for table, headers in TABLES.items()
            for one in files
            if one.get("tableName") == table
        ]
        return self._columns.named(ours) if ours else None

    def acknowledge(self, extract: str) -> None:
        """Take an extract. Raises `Transient`: then it is read again, and nothing is posted twice for it."""
        answer = self._client.post(f"{PATH}/{quoted(extract)}/acknowledge", safe=True)
        if not answer.ok and answer.status != 405:
            raise Transient(f"Basware did not let extract {extract} be acknowledged: {answer.words()}")


def _moment(text: str) -> str:
    """Write a time of this API (`28/03/2024, 10:17:02`) so that it compares as text."""
    return f"{text[6:10]}{text[3:5]}{text[:2]}{text[10:]}"
