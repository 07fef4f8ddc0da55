"""The simulated Data Access API, against what Basware documents of it."""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any

import pytest

from infra.sandbox.basware.data_extracts import extract, put
from infra.sandbox.kit.codec import decode

PATH = "/v1/dataExtracts"


@pytest.fixture
def waiting(basware: Any) -> tuple[Any, str]:
    basware.put()
    basware.put(invoiceId="inv2", processingStatus="New")
    return basware, extract(basware.world)


def files(basware: Any, code: str) -> dict[str, bytes]:
    found = basware.get(f"{PATH}/{code}").json()
    return {one["fileName"]: basware.follow(basware.get(one["downloadUrl"])).content for one in found}


def test_a_waiting_extract_is_listed_in_a_bare_array_with_days_of_its_own(waiting: Any) -> None:
    basware, code = waiting
    (found,) = basware.get(PATH, params={"processingStatus": "WaitingForExport"}).json()
    assert (found["id"], found["type"], found["fileCount"]) == (code, "Delta", 2)
    assert found["endDate"] == "02/03/2026, 09:00:00"
    assert basware.get(PATH, params={"processingStatus": "Exported"}).json() == []
    assert len(basware.get(PATH).json()) == 1


def test_its_files_are_named_by_table_and_downloaded_through_a_redirect_without_a_token(waiting: Any) -> None:
    basware, code = waiting
    found = basware.get(f"{PATH}/{code}").json()
    assert {one["tableName"] for one in found} == {"IA_INVOICE", "ADM_SUPPLIER"}
    (invoices,) = [one for one in found if one["tableName"] == "IA_INVOICE"]
    assert (invoices["fileName"], invoices["extractId"]) == ("IA_INVOICE_0001.json.gz", code)
    moved = basware.get(invoices["downloadUrl"])
    refused = basware.http.get(moved.headers["location"], headers={"Authorization": f"Bearer {basware.token}"})
    assert refused.status_code == 400
    basware.later(10 * 86_400)
    basware.token = basware.login("vendors.read").json()["access_token"]
    rows = decode(gzip.decompress(basware.follow(basware.get(invoices["downloadUrl"])).content))
    assert [(row["INVOICE_ID"], row["STATUS"]) for row in rows] == [("inv1", "Approved"), ("inv2", "InApproval")]


def test_large_tables_are_split_into_files(basware: Any) -> None:
    basware.world.extract_rows = 2
    code = put(basware.world, {"IA_INVOICE": [{"INVOICE_ID": str(n)} for n in range(5)]})
    found = files(basware, code)
    assert sorted(found) == [f"IA_INVOICE_000{n}.json.gz" for n in (1, 2, 3)]
    assert [len(decode(gzip.decompress(body))) for _, body in sorted(found.items())] == [2, 2, 1]


def test_a_tenant_may_have_csv(basware: Any) -> None:
    basware.world.extract_format = "csv"
    basware.put()
    (body,) = [body for name, body in files(basware, extract(basware.world)).items() if name.startswith("IA_INVOICE")]
    (row,) = csv.DictReader(io.StringIO(gzip.decompress(body).decode("utf-8-sig")))
    assert (row["INVOICE_ID"], row["COMPANY_CODE"]) == ("inv1", "1000")


def test_what_is_acknowledged_is_exported_and_not_acknowledged_again(waiting: Any) -> None:
    basware, code = waiting
    said = basware.post(f"{PATH}/{code}/acknowledge")
    assert said.json() == {"succeeded": True, "message": "Action done successfully"}
    assert basware.get(PATH, params={"processingStatus": "WaitingForExport"}).json() == []
    assert basware.post(f"{PATH}/{code}/acknowledge").status_code == 405


def test_the_tables_are_described(basware: Any) -> None:
    found = {one["Table name"]: one["Columns"] for one in basware.get(f"{PATH}/specification/tableDefinition").json()}
    assert "INVOICE_ID" in [column["Column name"] for column in found["IA_INVOICE"]]
    assert "INVOICE_ID" in [column["Column name"] for column in found["IA_CODING_ROW"]]


def test_it_refuses_in_its_own_dialects(waiting: Any) -> None:
    basware, code = waiting
    assert basware.get(f"{PATH}/nothing").json() == {"detail": "Not Found"}
    assert basware.get(f"{PATH}/{code}/getFile", params={"file": "x"}).status_code == 404
    wrong = basware.get(PATH, params={"processingStatus": "Waiting"})
    assert (wrong.status_code, wrong.json()["hasError"]) == (400, True)
    basware.token = "none"
    assert (basware.get(PATH).status_code, basware.get(PATH).json()) == (401, {"message": "Unauthorized"})


def test_a_token_of_any_scope_will_do_since_none_is_documented(waiting: Any) -> None:
    basware, _ = waiting
    basware.token = basware.login("vendors.read").json()["access_token"]
    assert basware.get(PATH).status_code == 200
