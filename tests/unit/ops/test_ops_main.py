"""The command line as a whole: where it works, how it fails."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.ops.main import app

COMMANDS = [
    ["tenants"],
    ["runs"],
    ["documents"],
    ["held"],
    ["audit", "acme", "invoices", "1"],
    ["mappings", "list", "acme"],
    ["mappings", "set", "acme", "tax", "a", "b"],
    ["mappings", "remove", "acme", "tax", "a"],
    ["mappings", "export", "acme"],
    ["mappings", "import", "acme"],
    ["dlq", "list"],
    ["dlq", "show", "x"],
    ["dlq", "redrive"],
    ["replay", "acme", "invoices", "1"],
    ["ping"],
]


@pytest.fixture(autouse=True)
def no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs these tests may have named a place for every command."""
    for name in ("ML_CONNECTOR_SECRETS", "ML_CONNECTOR_STACK"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_without_a_place_a_command_is_wrong_use(words: list[str]) -> None:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "--secrets DIR" in result.stderr
    assert "--stack NAME" in result.stderr
    assert "Traceback" not in result.output


def test_two_places_are_wrong_use(office: Any) -> None:
    assert "not both" in office.run("held", "--stack", "live", code=2).stderr


def test_the_environment_names_the_place_where_none_is_typed(office: Any) -> None:
    place = {"ML_CONNECTOR_SECRETS": str(office.folder)}
    listed = CliRunner(env=place).invoke(app, ["tenants"])
    assert (listed.exit_code, "acme" in listed.stdout) == (0, True)
    refused = CliRunner(env=place).invoke(app, ["resolve", "acme", "invoices", "INV-1", "--post", "--yes"])
    assert f"`ml-connector documents --secrets {office.folder}`" in " ".join(refused.stderr.split())


def test_a_place_that_is_typed_passes_over_the_environment(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_CONNECTOR_STACK", "live")
    assert "acme" in office.run("tenants").stdout
    monkeypatch.setenv("ML_CONNECTOR_SECRETS", str(office.folder / "other"))
    assert "acme" in office.run("tenants").stdout
    assert "only one of the" in CliRunner().invoke(app, ["tenants"]).stderr


def test_a_stack_has_no_state_folder(office: Any) -> None:
    result = CliRunner().invoke(app, ["held", "--stack", "live", "--state", str(office.folder)])
    assert (result.exit_code, "goes with `--secrets DIR`" in result.stderr) == (2, True)


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Any) -> None:
    result = CliRunner().invoke(app, ["held", "--secrets", str(tmp_path / "none")])
    assert (result.exit_code, (tmp_path / "none").exists()) == (2, False)
    assert "does not exist" in result.stderr


@pytest.mark.parametrize(
    "words", [["held", "nobody"], ["runs", "nobody"], ["documents", "nobody"], ["dlq", "list", "--tenant", "nobody"]]
)
def test_an_unknown_tenant_is_named_with_the_known_ones(office: Any, words: list[str]) -> None:
    result = office.run(*words, code=2)
    assert "no tenant 'nobody'" in result.stderr
    assert "acme" in result.stderr
    assert result.stdout == ""


def test_a_secret_under_a_misspelt_system_is_named_with_the_nearest(office: Any) -> None:
    (office.folder / "acme/sap_b1.json").rename(office.folder / "acme/sapb1.json")
    assert "acme/sapb1: no such system; did you mean 'sap_b1'? Known are" in office.run("tenants").stdout


def test_a_tenant_whose_name_cannot_be_used_is_told_so_once(office: Any) -> None:
    (office.folder / "acme").rename(office.folder / "Acme Ltd")
    assert office.run("tenants").stdout.count("cannot be the name of a tenant; rename the folder") == 1
    (office.folder / "Acme Ltd/basware.json").unlink()
    (row,) = office.run("tenants", "--json")
    assert row["problem"].count("Acme Ltd") == 1, "and no file is to be written into a folder of that name"


def test_a_folder_without_secrets_says_which_files_to_write(tmp_path: Any) -> None:
    result = CliRunner().invoke(app, ["ping", "--secrets", str(tmp_path)])
    assert (result.exit_code, "such as acme/sap_b1.json and acme/basware.json" in result.stderr) == (2, True)


def test_a_run_on_a_file_is_refused_as_what_it_is(tmp_path: Any) -> None:
    (tmp_path / "basware.json").write_text("{}")
    result = CliRunner().invoke(app, ["local", "run", "--secrets", str(tmp_path / "basware.json")])
    assert (result.exit_code, "basware.json is not a folder; name one" in result.stderr) == (2, True)


def test_an_unknown_flow_is_named_with_the_known_ones(office: Any) -> None:
    result = office.run("audit", "acme", "bills", "1", code=2)
    assert "no flow 'bills'" in result.stderr
    assert "invoices" in result.stderr


def test_a_flow_may_carry_its_integration(office: Any) -> None:
    office.row("invoices", "k1", outcome="delivered")
    office.run("audit", "acme", "sap_b1-basware/invoices", "k1")


def test_a_tenant_whose_secret_is_broken_says_so(office: Any) -> None:
    office.write("acme", "basware", {"region": "EU"})
    result = office.run("held", "acme", code=2)
    assert "acme/basware: the field 'client_id' is missing" in result.stderr


def test_wrong_options_are_wrong_use(office: Any) -> None:
    office.run("held", "--nonsense", code=2)
    office.run("nonsense", code=2)
    office.run("documents", "--outcome", "lost", code=2)


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.stdout.startswith("ml-connector ")


def test_every_command_helps_with_an_example() -> None:
    for words in COMMANDS:
        named = words[:2] if words[0] in {"mappings", "dlq"} else words[:1]
        result = CliRunner().invoke(app, [*named, "--help"])
        assert result.exit_code == 0
        assert "Example: ml-connector" in " ".join(result.stdout.split())


def test_the_program_starts_without_what_only_commands_need() -> None:
    heavy = ("boto3", "httpx", "pydantic_core", "msgspec", "cryptography")
    code = f"import sys, infra.ops.main; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
