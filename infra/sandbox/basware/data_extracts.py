"""The Data Access API: extracts of raw tables, their files, and the acknowledgement (`docs/vendors/basware.md`).

What the vendor documents is kept to: bare arrays, days as `dd/mm/yyyy, hh:mm:ss`, download addresses that do not expire
and redirect, and the dialects of errors of this API. (inferred) No scope is named for it, so any token will do; the
columns of the tables are published nowhere, so their names and the text of a status are a setting of the world.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from ..kit.codec import encode
from . import links
from .call import Call, answer
from .codec import Record
from .errors import Refused
from .model import Extract
from .world import World

STATUSES = ("WaitingForExport", "Exported")
TYPES = ("Initial", "Delta", "DateRange")
INVOICES, CODING = "IA_INVOICE", "IA_CODING_ROW"
HEADER = {
    "INVOICE_ID": "invoiceId",
    "INVOICE_NUMBER": "invoiceNumber",
    "COMPANY_CODE": "companyCode",
    "SUPPLIER_CODE": "supplierCode",
    "CURRENCY_CODE": "currencyCode",
    "GROSS_SUM": "grossSum",
    "NET_SUM": "netSum",
}
"""(inferred) columns of a header, and the fields of the invoice in them."""
ROW = {"CODING_ROW_ID": "externalCode", "ACCOUNT_CODE": "accountCode", "NET_TOTAL": "netTotal"}
APPROVED = frozenset({"WaitingForTransfer", "TransferInProgress", "Transferred", "Paid"})
_NOT_FOUND = {"detail": "Not Found"}


def extract(world: World, invoices: Iterable[str] | None = None, kind: str = "Delta") -> str:
    """Make an extract of invoices (all, where none are named) as they stand now; gives its id."""
    chosen = (
        [world.documents[key].record for key in invoices]
        if invoices is not None
        else [document.record for document in world.documents.values()]
    )
    headers = [{name: one.get(field) for name, field in HEADER.items()} | {"STATUS": status_of(one)} for one in chosen]
    rows = [
        {"INVOICE_ID": one["invoiceId"]} | {name: row.get(field) for name, field in ROW.items()}
        for one in chosen
        for row in one.get("codingRows") or []
    ]
    return put(world, {INVOICES: headers, CODING: rows, "ADM_SUPPLIER": [{"SUPPLIER_CODE": "V1"}]}, kind)


def status_of(record: Record) -> str:
    """Tell an invoice's status as its extract does."""
    return "Approved" if record["processingStatus"] in APPROVED else "InApproval"


def put(world: World, tables: dict[str, list[Record]], kind: str = "Delta") -> str:
    """Make an extract of rows by table, in files of at most `world.extract_rows` rows; gives its id."""
    code, files = world.new_id().replace("-", ""), {}
    for table, rows in tables.items():
        for number, start in enumerate(range(0, len(rows), world.extract_rows), 1):
            name = f"{table}_{number:04d}.{world.extract_format}.gz"
            files[name] = (table, _packed(world, rows[start : start + world.extract_rows]))
    world.extracts[code] = Extract(code, kind, world.now(), files)
    return code


def _packed(world: World, rows: list[Record]) -> bytes:
    if world.extract_format == "json":
        return gzip.compress(encode(rows), mtime=0)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return gzip.compress(out.getvalue().encode("utf-8-sig"), mtime=0)


def get_list(call: Call) -> Response:
    """Return the extracts of a status, or all: a bare array, also an empty one."""
    status = call.query("processingStatus")
    if status is not None and status not in STATUSES:
        raise _invalid(call, f"processingStatus {status} is not supported")
    return answer([_told(one) for one in call.world.extracts.values() if status in (None, one.status)])


def _told(one: Extract) -> Record:
    made = _moment(one.made)
    return {
        "id": one.id,
        "type": one.kind,
        "startDate": "31/01/1970, 21:00:00",
        "endDate": made,
        "fileCount": len(one.files),
        "processingStatus": one.status,
        "extractDate": made,
        "extractName": "Standard_data_extract",
    }


def _moment(moment: datetime) -> str:
    return f"{moment:%d/%m/%Y, %H:%M:%S}"


def get_files(call: Call, extract_id: str) -> Response:
    """Return the files of an extract, each with the address that it is downloaded from."""
    found = _find(call, extract_id)
    host = call.world.extract_host or call.request.host_url.rstrip("/")
    return answer(
        [
            {
                "extractId": found.id,
                "tableName": table,
                "fileName": name,
                "startDate": "31/01/1970, 21:00:00",
                "endDate": _moment(found.made),
                "downloadUrl": f"{host}/v1/dataExtracts/{found.id}/getFile?file={name}",
            }
            for name, (table, _) in found.files.items()
        ]
    )


def get_file(call: Call, extract_id: str) -> Response:
    """Redirect to a file."""
    file = _find(call, extract_id).files.get(call.query("file") or "")
    if file is None:
        raise Refused(404, f"no file {call.query('file')}", _NOT_FOUND)
    return links.redirect(call, file[1], "application/gzip", {})


def acknowledge(call: Call, extract_id: str) -> Response:
    """Mark an extract as exported; (inferred) a second time is refused, as for other APIs."""
    found = _find(call, extract_id)
    if found.status == "Exported":
        raise Refused(405, f"extract {extract_id} is exported already")
    found.status = "Exported"
    return answer({"succeeded": True, "message": "Action done successfully"})


def get_definition(_: Call) -> Response:
    """Return the columns of the tables that an invoice is read from."""
    tables: dict[str, Iterable[str]] = {INVOICES: (*HEADER, "STATUS"), CODING: ("INVOICE_ID", *ROW)}
    return answer(
        [{"Table name": table, "Columns": [_column(name) for name in names]} for table, names in tables.items()]
    )


def _column(name: str) -> Record:
    words = name.replace("_", " ").lower()
    return {"Column name": name, "Data Type": "NVARCHAR2", "Field definition": f"The {words}", "Example value": ""}


def _find(call: Call, extract_id: str) -> Extract:
    found = call.world.extracts.get(extract_id)
    if found is None:
        raise Refused(404, f"no extract {extract_id}", _NOT_FOUND)
    return found


def _invalid(call: Call, message: str) -> Refused:
    entry: dict[str, Any] = {"type": "VALIDATION", "code": "SCHEMA_VALIDATION_ERROR", "message": message}
    body = {"requestId": call.request_id, "transactionId": call.request_id, "hasError": True, "errorMessages": [entry]}
    return Refused(400, message, body)
