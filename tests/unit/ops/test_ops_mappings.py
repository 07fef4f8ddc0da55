"""mappings: list, set, remove, and both ways of CSV."""

from __future__ import annotations

from typing import Any

import pytest

from infra.ops import options


def mapped(office: Any) -> list[tuple[str, str, str, str]]:
    return [(r["kind"], r["code"], r["target"], r["origin"]) for r in office.run("mappings", "list", "acme", "--json")]


def test_set_is_listed_with_who_and_when(office: Any) -> None:
    said = office.run("mappings", "set", "acme", "account", "6100", "400000", "--by", "ada").stdout
    assert said == "Mapped account 6100 -> 400000 for acme (sap_b1-basware). Nothing was on hold for it.\n"
    (row,) = office.run("mappings", "list", "acme", "account", "--json")
    assert (row["by"], row["at"][:4], row["integration"]) == ("ada", office.now[:4], "sap_b1-basware")
    assert "400000" in office.run("mappings", "list", "acme").stdout


def test_without_a_name_the_user_is_recorded(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options.getpass, "getuser", lambda: "grace")
    office.run("mappings", "set", "acme", "tax", "V1", "A1")
    assert office.run("mappings", "list", "acme", "--json")[0]["by"] == "grace"


def test_set_makes_due_at_once_what_waits_for_the_code_or_for_the_target(office: Any) -> None:
    later = "2999-01-01T00:00:00.000000+00:00"
    waits = {"state": "waiting", "due_at": later, "attempts": 4}
    office.chunk("invoices", key="k1", waiting_for="account:6100", **waits)
    office.chunk("invoices", key="k2", waiting_for="account:6200", **waits)
    office.chunk("purchase_orders", {"records": [{"key": "1"}]}, id="9", waiting_for="account:400000", **waits)
    said = office.run("mappings", "set", "acme", "account", "6100", "400000", "--json")
    assert said["released"] == 2
    due = {c.id: c.due_at < office.now for f in ("invoices", "purchase_orders") for c in office.ledger(f).unfinished()}
    assert due == {"k1": True, "k2": False, "9": True}


def test_what_delivered_master_records_provide_is_listed_until_a_person_overrules_it(office: Any) -> None:
    office.row("accounts", "_SYS01", outcome="delivered", code="6100")
    office.row("accounts", "_SYS02", outcome="delivered", code="6200")
    office.row("accounts", "_SYS03", outcome="rejected")
    assert mapped(office) == [("account", "6100", "_SYS01", "sync"), ("account", "6200", "_SYS02", "sync")]
    office.run("mappings", "set", "acme", "account", "6100", "_SYS09")
    assert mapped(office) == [("account", "6100", "_SYS09", "manual"), ("account", "6200", "_SYS02", "sync")]
    office.run("mappings", "remove", "acme", "account", "6100")
    assert mapped(office)[0] == ("account", "6100", "_SYS01", "sync")


def test_removing_what_nobody_mapped_fails(office: Any) -> None:
    assert "Nobody mapped" in office.run("mappings", "remove", "acme", "account", "1", code=1).stderr


def test_an_unknown_kind_or_integration_is_wrong_use(office: Any) -> None:
    assert "no kind 'accounts'" in office.run("mappings", "set", "acme", "accounts", "1", "2", code=2).stderr
    assert "no kind 'x'" in office.run("mappings", "list", "acme", "x", code=2).stderr
    wrong = office.run("mappings", "set", "acme", "tax", "1", "2", "--integration", "sage_300-basware", code=2)
    assert "it has: sap_b1-basware" in wrong.stderr


def test_a_broken_secret_keeps_nobody_from_mapping(office: Any) -> None:
    office.write("acme", "basware", "{")
    office.run("mappings", "set", "acme", "account", "6100", "400000")
    assert mapped(office) == [("account", "6100", "400000", "manual")]


def test_a_shadow_tenants_mapping_stays(office: Any) -> None:
    office.write("acme", "settings", {"shadow": True})
    office.run("mappings", "set", "acme", "account", "6100", "400000")
    assert mapped(office) == [("account", "6100", "400000", "manual")]


def test_what_is_mapped_already_stays_on_the_record_of_who_mapped_it(office: Any) -> None:
    office.run("mappings", "set", "acme", "account", "6100", "400000", "--by", "ada")
    office.chunk("invoices", key="k1", state="waiting", waiting_for="account:6100")
    said = office.run("mappings", "set", "acme", "account", "6100", "400000", "--by", "bob").stdout
    assert "Nothing was changed: account 6100 -> 400000 for acme (sap_b1-basware) is mapped already." in said
    assert "1 record on hold will be retried" in said
    office.run("mappings", "import", "acme", "--by", "bob", stdin="kind,code,target\naccount,6100,400000\n")
    (row,) = office.run("mappings", "list", "acme", "--json")
    assert row["by"] == "ada"


def test_export_and_import_give_the_same(office: Any) -> None:
    office.row("accounts", "_SYS02", outcome="delivered", code="6200")
    office.run("mappings", "set", "acme", "account", "6100", "400000")
    office.run("mappings", "set", "acme", "tax", "V, 1", "A1")
    text = office.run("mappings", "export", "acme").stdout
    assert text.splitlines()[:2] == ["integration,kind,code,target,origin", "sap_b1-basware,account,6100,400000,manual"]
    office.run("mappings", "remove", "acme", "account", "6100")
    said = office.run("mappings", "import", "acme", "--json", "--by", "ada", stdin=text)
    assert said == {"imported": 2, "left_out": 1, "released": 0}
    assert office.run("mappings", "export", "acme").stdout == text


def test_export_and_import_of_a_file_and_one_kind(office: Any) -> None:
    office.run("mappings", "set", "acme", "account", "6100", "400000")
    office.run("mappings", "set", "acme", "tax", "V1", "A1")
    file = office.folder / "accounts.csv"
    assert office.run("mappings", "export", "acme", "account", "--file", str(file)).stdout == ""
    assert "V1" not in file.read_text()
    assert "1 mapping written" in office.run("mappings", "import", "acme", "account", "--file", str(file)).stdout
    assert "1 mapping written" in office.run("mappings", "import", "acme", "account", str(file)).stdout
    assert "1 mapping written" in office.run("mappings", "import", "acme", str(file)).stdout


def test_import_sets_free_what_waits(office: Any) -> None:
    office.chunk("invoices", key="k1", state="waiting", waiting_for="account:6100")
    said = office.run("mappings", "import", "acme", stdin="kind,code,target\naccount,6100,400000\n")
    assert "1 record on hold will be retried in the next run" in said.stdout


def test_import_takes_what_a_spreadsheet_writes(office: Any) -> None:
    file = office.folder / "sheet.csv"
    file.write_text("\ufeffKind;Code;Target\r\naccount;6100;400000\r\n;;\r\n", encoding="utf-8")
    office.run("mappings", "import", "acme", "--file", str(file))
    assert mapped(office) == [("account", "6100", "400000", "manual")]


def test_import_names_every_wrong_line_and_writes_nothing(office: Any) -> None:
    lines = [
        "integration,kind,code,target,origin",
        "sap_b1-basware,account,6100,400000,manual",
        ",colour,1,2,manual",
        "sap_b1-basware,account,,2,manual",
        "sage_300-basware,account,1,2,manual",
        ",tax,1",
        ",tax,1,2,guessed",
        ",account,6100,500000,",
    ]
    result = office.run("mappings", "import", "acme", stdin="\n".join(lines), code=2)
    for words in (
        "Nothing was written",
        "line 3: There is no kind 'colour'",
        "line 4: The columns `code` and `target` must not be empty",
        "line 5: acme has no integration 'sage_300-basware'",
        "line 6: it has 3 columns",
        "line 7: the origin",
        "line 8: account 6100 is already mapped to 400000 above",
    ):
        assert words in result.stderr
    assert mapped(office) == []


def test_import_of_one_kind_refuses_another(office: Any) -> None:
    result = office.run("mappings", "import", "acme", "account", stdin="kind,code,target\ntax,1,2\n", code=2)
    assert "line 2: the kind is 'tax', but only account is imported" in result.stderr


@pytest.mark.parametrize("text", ["", "code,target\n1,2\n"])
def test_import_needs_a_header(office: Any, text: str) -> None:
    said = office.run("mappings", "import", "acme", stdin=text, code=2).stderr
    assert "Nothing was written. The input: the first line must name integration, kind, code, target, origin" in said
    file = office.folder / "accounts.csv"
    file.write_text(text)
    assert f"{file}: the first line" in office.run("mappings", "import", "acme", "--file", str(file), code=2).stderr


def test_import_of_a_file_that_is_not_there(office: Any) -> None:
    assert "cannot be read" in office.run("mappings", "import", "acme", "--file", "/no/such.csv", code=2).stderr


class Terminal:
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_an_overwrite_is_asked_for(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(options.sys, "stdin", Terminal())
    monkeypatch.setattr(options.typer, "confirm", lambda question, err: asked.append(question))
    with pytest.raises(options.typer.Exit):
        options.confirm("Really?", yes=False)
    options.confirm("Really?", yes=True)
    assert asked == ["Really?"]


def test_a_mapping_sets_going_what_awaits_the_first_delivery_of_the_code(office: Any) -> None:
    office.chunk(
        "invoices",
        key="k1",
        state="waiting",
        waiting_for="prerequisite:vendors",
        awaits="supplier:V9",
        attempts=3,
        due_at="2999-01-01T00:00:00.000000+00:00",
    )
    office.chunk(
        "invoices", key="k2", state="waiting", waiting_for="prerequisite:vendors", awaits="supplier:V8", attempts=3
    )
    office.run("mappings", "set", "acme", "supplier", "V9", "V10000", "--yes")
    first, second = (office.ledger("invoices").chunk(key)[0] for key in ("k1", "k2"))
    assert (first.attempts, second.attempts) == (0, 3)
    assert first.due_at < "2999"


def test_a_mapping_sets_going_orders_that_wait_together_for_several_codes_of_its_kind(office: Any) -> None:
    waits = {
        "state": "waiting",
        "waiting_for": "prerequisite:vendors",
        "attempts": 3,
        "due_at": "2999-01-01T00:00:00.000000+00:00",
    }
    office.chunk("purchase_orders", id="7", count=2, awaits="supplier:V7", **waits)
    office.chunk("purchase_orders", id="8", count=2, awaits="account:400005", **waits)
    office.run("mappings", "set", "acme", "supplier", "V9", "V10000", "--yes")
    first, second = (office.ledger("purchase_orders").chunk(name)[0] for name in ("7", "8"))
    assert (first.attempts, second.attempts) == (0, 3)
    assert first.due_at < "2999" <= second.due_at


@pytest.mark.parametrize("code", ["k" * 5000, "\udcff", "a\0b"])
def test_a_code_that_no_row_can_have_is_refused_in_words(office: Any, code: str) -> None:
    assert "CODE " in office.run("mappings", "set", "acme", "account", code, "X", "--yes", code=2).output
    assert "TARGET " in office.run("mappings", "set", "acme", "account", "1", code, "--yes", code=2).output
    assert "Nobody mapped" in office.run("mappings", "remove", "acme", "account", code, "--yes", code=1).output
