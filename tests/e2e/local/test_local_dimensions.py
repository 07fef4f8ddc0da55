"""Sage X3 and Basware on one machine: dimensions that people edit in Basware stay so, and both systems are compared."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from infra.sandbox import basware, sage_x3
from infra.sandbox.basware.model import Row
from infra.sandbox.sage_x3 import back_office
from infra.sandbox.sage_x3.seed import PASSWORD, USER
from infra.sandbox.sage_x3.seed_masters import add_account, add_center, add_finance, add_supplier
from infra.sandbox.server import serving
from tests import program

CENTERS, ITEMS = "costCenters", "lists/ACC_LIST_1"


class Company:
    """A folder with a few records of each kind, and its Basware."""

    def __init__(self, place: Path) -> None:
        self.place, self.erp, self.ap = place, sage_x3.World(), basware.World()
        sage_x3.add_users(self.erp)
        add_finance(self.erp)
        for kind, code in (("CCT", "CC1"), ("CCT", "CC2"), ("PRJ", "P1")):
            add_center(self.erp, kind, code, f"{kind} {code}")
        add_account(self.erp, "600100", "Travel")
        for number in (1, 2):
            add_supplier(self.erp, f"V{number}", number, Random(number))

    def serve(self, stack: ExitStack) -> None:
        erp = stack.enter_context(serving(sage_x3.create_app(self.erp)))
        ap = stack.enter_context(serving(basware.create_app(self.ap)))
        folder = self.place / "secrets" / "acme"
        folder.mkdir(parents=True)
        login = {"type": "basic", "user": USER, "password": PASSWORD}
        secrets: dict[str, dict[str, Any]] = {
            "basware": {
                "region": "EU", "client_id": "sandbox-client", "client_secret": "sandbox-secret", "base_url": ap,
                "companies": ["1000"], "source_system": "X3", "dimension_lists": {"PRJ": "ACC_LIST_1"},
            },
            "sage_x3": {
                "url": erp, "folder": self.erp.folder, "auth": login, "cost_center_dimension": "CCT",
                "timezone": "Europe/Paris",
            },
            "settings": {"schedules": {"purchase_orders": "off", "invoices": "off"}},
        }  # fmt: skip
        for name, secret in secrets.items():
            (folder / f"{name}.json").write_text(json.dumps(secret))

    def cli(self, *args: str) -> subprocess.CompletedProcess[str]:
        return program.run(*args, "--secrets", str(self.place / "secrets"), timeout=120)

    def run(self) -> dict[str, Any]:
        """Run everything once; gives the report."""
        out = self.place / "report.json"
        self.ap.calls.clear()
        ran = self.cli("local", "run", "--report", str(out), "--max-seconds", "60")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        report: dict[str, Any] = json.loads(out.read_text())
        assert report["reconciled"], report
        return report

    def counts(self, flow: str) -> dict[str, int]:
        figures = self.run()["tenants"]["acme"]["sage_x3-basware"][flow]
        return {name: figures[name] for name in ("delivered", "unchanged", "held", "rejected") if figures[name]}

    # ── both systems ────────────────────────────────────────────────────────────────────────────────────────

    def rename(self, kind: str, code: str, name: str) -> None:
        back_office.change(self.erp, "CACCE", {"DIE": kind, "CCE": code, "DES": name, "DESSHO": name[:20]})

    def there(self, entity: str, code: str) -> dict[str, Any]:
        rows = self.ap.entities[entity].values()
        return next(r.record for r in rows if code in {r.record.get("costCenterCode"), r.record.get("text_1")})

    def edit(self, entity: str, code: str, **fields: Any) -> None:
        """Edit a dimension as people do in P2P."""
        record = {**self.there(entity, code), **fields}
        with self.ap.lock:
            self.ap.entities[entity][record["externalCode"]] = Row(record, self.ap.now(), "p2p")

    def name(self, code: str) -> str:
        return str(self.there(CENTERS, code)["costCenterNames"][0]["translation"])

    def writes(self) -> dict[str, int]:
        return {name: n for name, n in self.ap.calls.items() if not name.startswith(("GET", "POST /v1/tokens"))}


def called(text: str) -> list[dict[str, str]]:
    return [{"language": "en-US", "translation": text}]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path)
    with ExitStack() as stack:
        made.serve(stack)
        flows = made.run()["tenants"]["acme"]["sage_x3-basware"]
        assert (flows["dimensions"]["delivered"], flows["alignment"]["error"]) == (3, None)
        yield made


def test_what_the_erp_changed_goes_by_patch_and_a_second_run_writes_nothing(company: Company) -> None:
    company.rename("CCT", "CC1", "Marketing")
    company.rename("PRJ", "P1", "Bridge")
    assert company.counts("dimensions") == {"delivered": 2, "unchanged": 1}
    assert company.writes() == {"PATCH /v1/costCenters/<code>": 1, "PATCH /v1/lists/<list_key>/<code>": 1}
    assert (company.name("CC1"), company.there(ITEMS, "P1")["text_2"]) == ("Marketing", "Bridge")
    assert company.counts("dimensions") == {"unchanged": 3}
    assert company.writes() == {}


def test_what_people_edited_in_basware_is_left_and_held_until_a_person_decides(company: Company) -> None:
    company.edit(CENTERS, "CC1", costCenterNames=called("By hand"))
    company.edit(ITEMS, "P1", text_2="By hand as well")
    company.rename("CCT", "CC1", "Marketing")
    company.rename("PRJ", "P1", "Bridge")
    report = company.run()
    held = {line["waiting_for"]: line["reason"] for line in report["held"] if line["flow"] == "dimensions"}
    assert set(held) == {"conflict:CC1", "conflict:P1"}
    assert "'By hand' there and 'Marketing' in Sage X3" in held["conflict:CC1"]
    assert (company.name("CC1"), company.there(ITEMS, "P1")["text_2"]) == ("By hand", "By hand as well")
    assert company.writes() == {}
    decided = company.cli("resolve", "acme", "dimensions", "CC1", "--post", "--by", "ada", "--yes")
    assert decided.returncode == 0, decided.stderr
    decided = company.cli("resolve", "acme", "dimensions", "PRJ~P1", "--match", "P1", "--by", "ada", "--yes")
    assert decided.returncode == 0, decided.stderr
    assert company.counts("dimensions")["delivered"] == 1
    assert company.writes() == {"PATCH /v1/costCenters/<code>": 1}
    assert (company.name("CC1"), company.there(ITEMS, "P1")["text_2"]) == ("Marketing", "By hand as well")
    assert back_office.change(company.erp, "CACCE", {"DIE": "PRJ", "CCE": "P1"})["DES"] == "Bridge"


def test_both_systems_are_compared_and_neither_is_written(company: Company) -> None:
    name, place = company.erp.find("BPSUPPLIER", "V2")["BPSNAM"], [{"companyCode": "1000"}]
    for code, called_so in (("HAND", str(name).upper()), ("X9", "By hand X9")):
        record = {"externalCode": f"x-{code}", "vendorCode": code, "name": called_so, "companies": place}
        company.ap.entities["vendors"][f"x-{code}"] = Row(record, company.ap.now(), "p2p")
    report = company.run()
    held = {line["waiting_for"]: line["reason"] for line in report["held"] if line["flow"] == "alignment"}
    assert set(held) == {"partner:X9"}
    assert held["partner:X9"].startswith("Supplier X9 (By hand X9) is in Basware only. To fix: map it with")
    assert company.writes() == {}
    listed = company.cli("mappings", "list", "acme", "supplier", "--json")
    proposed = [one for one in json.loads(listed.stdout) if one["origin"] == "proposed"]
    assert [(one["code"], one["target"], one["by"]) for one in proposed] == [("HAND", "V2", "same name")]
    del company.ap.entities["vendors"]["x-X9"]
    report = company.run()
    assert [line for line in report["held"] if line["flow"] == "alignment"] == []
