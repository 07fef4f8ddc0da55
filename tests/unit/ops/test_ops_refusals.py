"""Wrong names and empty codes are refused with a sentence; tenants and deliveries say what else there is to know."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ml_connector.bootstrap import wire
from ml_connector.context import TenantSettings
from ml_connector.errors import Throttled
from ml_connector.systems.settings import parse


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["held", "acm"], "did you mean 'acme'?"),
        (["documents", "acme", "invoice"], "did you mean 'invoices'?"),
        (["mappings", "list", "acme", "acount"], "did you mean 'account'?"),
        (["ping", "acm"], "did you mean 'acme'?"),
        (["ping", "acme", "baswre"], "did you mean 'basware'?"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(office: Any, words: list[str], meant: str) -> None:
    result = office.run(*words, code=2)
    assert meant in result.stderr
    assert "nown are" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("empty", "target", "named"), [("", "1", "CODE"), ("  ", "1", "CODE"), ("1", "", "TARGET"), ("1", "2\n", "TARGET")]
)
def test_an_empty_code_or_target_is_refused_and_nothing_written(
    office: Any, empty: str, target: str, named: str
) -> None:
    assert office.run("mappings", "set", "acme", "account", empty, target, code=2).stderr.startswith(named)
    assert office.run("mappings", "list", "acme", "--json") == []


def test_an_empty_code_in_a_file_is_refused_with_its_line(office: Any) -> None:
    lines = "kind,code,target\naccount,1,2\naccount,,3\naccount,4, \n"
    stderr = office.run("mappings", "import", "acme", stdin=lines, code=2).stderr
    assert "line 3: The columns `code` and `target` must not be empty" in stderr
    assert "line 4: The columns `code` and `target` must not be empty" in stderr
    assert office.run("mappings", "list", "acme", "--json") == []


def door(office: Any, system: str) -> Any:
    workspace = office.open()
    secret = workspace.secrets.read("acme", system)
    from ml_connector.systems.basware.settings import Settings as Basware
    from ml_connector.systems.sap_b1.settings import Settings as SapB1

    model: Any = {"basware": Basware, "sap_b1": SapB1}[system]
    settings = parse(model, secret.text, system, insecure=True)
    return wire(
        workspace.runtime,
        workspace.tools,
        "acme",
        system,
        settings,
        secret.version,
        scope="s",
        integration="i",
        options=TenantSettings(),
        active=(),
    )[0]


def test_tenants_shows_a_login_that_was_refused_and_what_opens_it(office: Any) -> None:
    door(office, "sap_b1").login_refused("SAP Business One refused the login of user 'connector'.")
    (acme,) = office.run("tenants", "--json")
    assert "sap_b1: the login is suspended." in acme["problem"]
    assert "refused the login of user 'connector'" in acme["problem"]
    assert f"`ml-connector ping acme sap_b1 --secrets {office.folder}`" in acme["problem"]
    office.write("acme", "sap_b1", {**SAP, "password": "hush-hush-new"})
    assert office.run("tenants", "--json")[0]["problem"] is None


SAP = {"service_layer_url": "https://sap.example.com:50000/b1s/v2", "company_db": "ACME", "user_name": "connector"}


def test_tenants_shows_a_system_that_is_away_until_when(office: Any) -> None:
    door(office, "basware").failed(Throttled("Basware answered 503.", 600))
    until = f"{(office.workspace.runtime.clock.now() + timedelta(seconds=600)).astimezone():%H:%M}"
    (acme,) = office.run("tenants", "--json")
    assert "basware is unavailable: Basware answered 503." in acme["problem"]
    assert "Work waits until " in acme["problem"]
    assert until in acme["problem"]
    assert "ping acme basware" in office.run("tenants").stdout


def test_tenants_names_the_secret_that_is_missing_and_a_closed_login_of_half_a_pair(office: Any) -> None:
    (office.folder / "acme" / "basware.json").unlink()
    door(office, "sap_b1").login_refused("The password is wrong.")
    (acme,) = office.run("tenants", "--json")
    assert "the secret of the other system is missing: write acme/basware" in acme["problem"]
    assert "sap_b1: the login is suspended. The password is wrong." in acme["problem"]


def test_documents_says_of_how_many_it_shows_some(office: Any) -> None:
    for n in range(5):
        office.done("invoices", key=f"k{n}", outcome="delivered", delivered=1)
    result = office.run("documents", "--limit", "2")
    assert result.stderr == "2 of 5; --limit for more.\n"
    assert len(result.stdout.splitlines()) == 3
    assert office.run("documents", "--limit", "5").stderr == ""
    assert len(office.run("documents", "--limit", "2", "--json")) == 2
