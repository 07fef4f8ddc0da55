"""SYSPRO and Basware on one machine: terms and tax ids that people change in Basware come to SYSPRO, nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from infra.sandbox import basware, syspro
from infra.sandbox.basware.model import Row
from infra.sandbox.server import serving
from infra.sandbox.syspro.seed import COMPANY, ODATA_PASSWORD, ODATA_USER, OPERATOR, PASSWORD, add_users
from infra.sandbox.syspro.seed_masters import add_account, add_finance, add_supplier
from tests import program

CHANGED = ("TermsCode", "TaxRegnNum")


class Company:
    """A company of three suppliers, and its Basware."""

    def __init__(self, place: Path) -> None:
        self.place, self.erp, self.ap = place, syspro.World(), basware.World()
        add_users(self.erp)
        add_finance(self.erp)
        add_account(self.erp, "400001-CC101", "Travel")
        for number in (1, 2, 4):
            add_supplier(self.erp, f"V{number}", number, Random(number), self.erp.today())
            self.change(f"V{number}", TermsCode="30", TaxRegnNum=f"DE{number}", OnHold="N")

    def serve(self, stack: ExitStack) -> None:
        erp = stack.enter_context(serving(syspro.create_app(self.erp)))
        ap = stack.enter_context(serving(basware.create_app(self.ap)))
        folder = self.place / "secrets" / "acme"
        folder.mkdir(parents=True)
        secrets: dict[str, dict[str, Any]] = {
            "basware": {
                "region": "EU", "client_id": "sandbox-client", "client_secret": "sandbox-secret", "base_url": ap,
                "companies": ["1000"], "source_system": "SYSPRO",
            },
            "syspro": {
                "enet_url": f"{erp}/SYSPROWCFService/Rest", "operator": OPERATOR, "operator_password": PASSWORD,
                "company_id": COMPANY, "odata_url": f"{erp}/SYSPRO8Odata/SYSPROOData", "odata_user": ODATA_USER,
                "odata_password": ODATA_PASSWORD, "timezone": "Europe/London",
            },
        }  # fmt: skip
        for name, secret in secrets.items():
            (folder / f"{name}.json").write_text(json.dumps(secret))

    def cli(self, *args: str) -> subprocess.CompletedProcess[str]:
        return program.run(*args, "--secrets", str(self.place / "secrets"), timeout=120)

    def map_terms(self) -> None:
        for code, target in (("30D", "30"), ("60D", "60")):
            assert self.cli("mappings", "set", "acme", "term", code, target, "--yes").returncode == 0

    def run(self) -> dict[str, Any]:
        """Run everything once; gives the report."""
        out = self.place / "report.json"
        self.ap.calls.clear()
        ran = self.cli("local", "run", "--report", str(out), "--max-seconds", "60")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        report: dict[str, Any] = json.loads(out.read_text())
        assert report["reconciled"], report
        return report

    def flows(self) -> dict[str, Any]:
        return dict(self.run()["tenants"]["acme"]["syspro-basware"])

    # ── both systems ────────────────────────────────────────────────────────────────────────────────────────

    def row(self, key: str) -> dict[str, Any]:
        return {name: value for name, value in self.erp.get("ApSupplier", key).items() if name != "TimeStamp"}

    def change(self, key: str, **values: Any) -> None:
        syspro.back_office.change(self.erp, "ApSupplier", {"Supplier": key, **values})

    def vendor(self, code: str) -> dict[str, Any]:
        return next(row.record for row in self.ap.entities["vendors"].values() if row.record["vendorCode"] == code)

    def enrich(self, code: str, term: str | None = None, tax: str | None = None) -> None:
        """Change a vendor as people do in P2P."""
        record = dict(self.vendor(code))
        if term is not None:
            record["paymentTerms"] = {"paymentTermCode": term}
        if tax is not None:
            record["identifiers"] = [{"id": tax, "schemeId": "VAT"}, {"id": "D-9", "schemeId": "DUNS"}]
        with self.ap.lock:
            self.ap.entities["vendors"][record["externalCode"]] = Row(record, self.ap.now(), "p2p")

    def writes(self) -> dict[str, int]:
        """Count what was sent of vendors in the last run."""
        names = {"POST /v1/vendors": "POST", "PATCH /v1/vendors/<code>": "PATCH"}
        return {short: self.ap.calls[name] for name, short in names.items() if self.ap.calls[name]}

    def maintained(self) -> int:
        return sum("Setup/Update" in entry.path for entry in self.erp.log)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    with ExitStack() as stack:
        made.serve(stack)
        made.map_terms()
        made.flows()
        assert made.vendor("V1")["paymentTerms"]["paymentTermCode"] == "30D"
        yield made


def test_what_people_change_comes_to_the_erp_once_and_nothing_travels_in_a_circle(company: Company) -> None:
    before = {key: company.row(key) for key in ("V1", "V2", "V4")}
    company.enrich("V1", term="60D", tax="DE999")
    flows = company.flows()
    assert (flows["supplier_enrichment"]["delivered"], flows["suppliers"]["unchanged"]) == (1, 3)
    assert company.row("V1") == before["V1"] | {"TermsCode": "60", "TaxRegnNum": "DE999"}
    assert {key: company.row(key) for key in ("V2", "V4")} == {key: before[key] for key in ("V2", "V4")}
    assert company.writes() == {}
    flows = company.flows()
    assert (flows["supplier_enrichment"]["unchanged"], flows["suppliers"]["unchanged"]) == (3, 3)
    assert company.writes() == {}
    assert company.maintained() == 1


def test_a_supplier_that_was_enriched_goes_out_by_patch_without_what_people_changed(company: Company) -> None:
    company.enrich("V1", term="60D", tax="DE999")
    company.run()
    company.change("V1", SupplierName="Another name")
    company.run()
    assert company.writes() == {"PATCH": 1}
    now = company.vendor("V1")
    assert (now["name"], now["paymentTerms"]["paymentTermCode"]) == ("Another name", "60D")
    assert {one["schemeId"]: one["id"] for one in now["identifiers"]} == {"VAT": "DE999", "DUNS": "D-9"}


def test_what_the_erp_changes_goes_to_basware_and_does_not_come_back(company: Company) -> None:
    company.change("V2", TermsCode="60")
    company.run()
    assert company.vendor("V2")["paymentTerms"]["paymentTermCode"] == "60D"
    company.run()
    assert company.writes() == {}
    assert company.maintained() == 0


def test_a_term_without_a_mapping_waits_and_is_not_overwritten_meanwhile(company: Company) -> None:
    company.enrich("V1", term="14D")
    (held,) = company.run()["held"]
    assert (held["flow"], held["key"], held["waiting_for"]) == ("supplier_enrichment", "V1", "term:14D")
    company.change("V1", SupplierName="Another name")
    company.run()
    assert company.vendor("V1")["paymentTerms"]["paymentTermCode"] == "14D"
    assert company.row("V1")["TermsCode"] == "30"
    assert company.cli("mappings", "set", "acme", "term", "14D", "14", "--yes").returncode == 0
    assert company.run()["held"] == []
    assert company.row("V1")["TermsCode"] == "14"


def test_what_the_erp_refuses_is_rejected_and_visible(company: Company) -> None:
    assert company.cli("mappings", "set", "acme", "term", "99D", "ZZ", "--yes").returncode == 0
    company.enrich("V1", term="99D")
    (rejected,) = company.run()["rejected"]
    assert (rejected["flow"], rejected["key"]) == ("supplier_enrichment", "V1")
    assert "ZZ" in rejected["reason"]
    assert company.run()["rejected"] == [rejected]
    assert company.vendor("V1")["paymentTerms"]["paymentTermCode"] == "99D"


def test_an_erp_that_empties_what_it_is_not_sent_is_stopped_after_the_first_supplier(company: Company) -> None:
    company.erp.blanks_omitted = True
    for code in ("V1", "V2", "V4"):
        company.enrich(code, tax=f"{code}-9")
    report = company.run()
    (failed,) = report["failed"]
    assert (failed["flow"], failed["cause"]) == ("supplier_enrichment", "other fields changed")
    assert "SupplierName" in failed["reason"] or "Telephone" in failed["reason"], failed
    assert company.maintained() == 1
    assert len(report["held"]) == 2


def test_without_any_memory_what_differs_waits_for_a_person_and_what_is_equal_does_not(company: Company) -> None:
    shutil.rmtree(company.place / "secrets" / ".state")
    company.map_terms()
    company.enrich("V1", term="60D")
    company.change("V2", TaxRegnNum="")
    (held,) = company.run()["held"]
    assert (held["key"], held["waiting_for"]) == ("V1", "conflict:V1")
    assert "60D in Basware and 30 in SYSPRO" in held["reason"]
    assert company.vendor("V1")["paymentTerms"]["paymentTermCode"] == "60D"
    assert company.row("V1")["TermsCode"] == "30"
    assert company.row("V2")["TaxRegnNum"] == "DE2", "what only one side has flows to the other"
    company.change("V1", TermsCode="60")
    assert company.run()["held"] == []
    company.run()
    assert (company.writes(), company.maintained()) == ({}, 1)
