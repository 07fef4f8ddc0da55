"""What the shell completes, as the shell asks for it: with the words typed so far in the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.ops import completion
from ml_connector.integrations import INTEGRATIONS

PLANTED = "hush-hush-planted"
PROGRAM = """
import sys
from pathlib import Path
from infra.ops.main import app
def watch(event, args):
    if event == "open" and str(args[0]).endswith(".json"): sys.exit(f"{args[0]} was opened")
    if event in {"os.listdir", "os.scandir"} and Path(args[0]).parent.name == "many": sys.exit(f"{args[0]} was listed")
    if event.startswith("socket."): sys.exit(f"{event} happened")
sys.addaudithook(watch)
app(prog_name="ml-connector")
"""
"""The command line that ends where it opens a secret or a socket, or lists one of many tenants."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    secrets = tmp_path / "secrets"
    for tenant, erp in {"acme": "sap_b1", "acme-sage": "sage_300", "beta": "sap_b1"}.items():
        (secrets / tenant).mkdir(parents=True)
        for system in (erp, "basware"):
            (secrets / tenant / f"{system}.json").write_text(f'{{"password": "{PLANTED}"}}')
    (secrets / ".state").mkdir()
    (secrets / "Not A Tenant\n").mkdir()
    (secrets / "notes").write_text(PLANTED)
    return secrets


def asked(words: str, where: Path) -> list[str]:
    """Complete a line as bash does: the last word is what stands before the cursor."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        cwd=where,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "_ML_CONNECTOR_COMPLETE": "complete_bash",
            "COMP_WORDS": f"ml-connector {words}",
            "COMP_CWORD": str(len(words.split(" "))),
        },
    )
    assert ran.stderr == ""
    assert PLANTED not in ran.stdout
    return ran.stdout.split()


def test_a_tenant_is_completed_from_the_folder_that_was_named(folder: Path) -> None:
    assert asked(f"held --secrets {folder} ac", Path("/")) == ["acme", "acme-sage"]
    assert asked(f"dlq list --secrets {folder} --tenant b", Path("/")) == ["beta"]


def test_without_a_folder_the_usual_one_is_looked_into(folder: Path) -> None:
    assert asked("mappings list ", folder.parent) == ["acme", "acme-sage", "beta"]


def test_the_local_tenants_are_not_a_stacks(folder: Path) -> None:
    assert asked("held --stack live ", folder.parent) == []


def test_flows_are_those_of_the_tenants_systems(folder: Path) -> None:
    assert "payments" in asked("audit acme ", folder.parent)
    assert asked("audit acme-sage p", folder.parent) == ["purchase_orders"]
    assert asked("replay acme-sage sage_300-basware/i", folder.parent) == ["sage_300-basware/invoices"]


def test_kinds_and_integrations_are_completed(folder: Path) -> None:
    assert asked("mappings set acme co", folder.parent) == ["company", "cost_center"]
    assert asked("mappings list acme --integration s", folder.parent) == [
        "sage_300-basware",
        "sage_x3-avidxchange",
        "sage_x3-basware",
        "sap_b1-basware",
        "syspro-basware",
    ]


@pytest.mark.parametrize("named", ["none", "secrets/notes", "secrets/acme/sap_b1.json", "\0", "~nobody-of-this-name/x"])
def test_a_folder_that_cannot_be_used_completes_nothing(folder: Path, named: str) -> None:
    context = type("Context", (), {"params": {"secrets": named if named[0] in "\0~" else folder.parent / named}})()
    assert completion.tenants(context, "") == []


@pytest.mark.parametrize("tenant", ["nobody", "..", "../secrets/acme", "\0", None, 7])
def test_every_flow_is_offered_where_the_tenants_systems_are_unknown(folder: Path, tenant: object) -> None:
    context = type("Context", (), {"params": {"secrets": folder, "tenant": tenant}})()
    every = sorted({flow.name for one in INTEGRATIONS for flow in one.flows})
    assert completion.flows(context, "") == every


def test_many_tenants_are_completed_without_a_look_into_their_folders(tmp_path: Path) -> None:
    for number in range(2_000):
        (tmp_path / "many" / f"t{number}").mkdir(parents=True)
    found = asked(f"held --secrets {tmp_path / 'many'} t199", tmp_path)
    assert found == ["t199", *(f"t199{n}" for n in range(10))]
