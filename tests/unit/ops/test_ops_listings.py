"""tenants, runs, deliveries, held: what they list, as JSON and as text."""

from __future__ import annotations

from typing import Any

import pytest

from infra.ops import table
from infra.ops.documents import moment_of
from ml_connector.embedded.clock import SystemClock
from ml_connector.engine.ledger.rows import Cursor, Figures
from ml_connector.errors import Misconfigured

OLD, NEW = "2026-01-10T08:00:00.000000+00:00", "2026-01-11T08:00:00.000000+00:00"


def test_tenants_lists_systems_and_problems(office: Any) -> None:
    office.write("beta", "basware", {"region": "MOON"})
    office.write(
        "gamma",
        "sap_b1",
        {"service_layer_url": "https://x/b1s/v2", "company_db": "a", "user_name": "b", "password": "hush-hush"},
    )
    office.write("acme", "settings", {"paused": True, "shadow": True})
    acme, beta, gamma = office.run("tenants", "--json")
    assert acme == {
        "tenant": "acme",
        "integrations": ["sap_b1-basware"],
        "systems": ["basware", "sap_b1"],
        "paused": True,
        "shadow": True,
        "problem": None,
        "refresh_token_ends": [],
        "calls_today": [],
    }
    assert "beta/basware: the field 'region'" in beta["problem"]
    assert "the secret of the other system is missing" in gamma["problem"]
    text = office.run("tenants").stdout
    assert "sap_b1-basware" in text
    assert "yes" in text


def test_a_tenant_of_which_one_secret_is_wrong_keeps_its_integration_in_the_list(office: Any) -> None:
    office.write("acme", "sap_b1", "{")
    (acme,) = office.run("tenants", "--json")
    assert acme["integrations"] == ["sap_b1-basware"]
    assert acme["problem"].count("acme/sap_b1") == 1


def test_tenants_of_an_empty_folder(office: Any) -> None:
    for file in (office.folder / "acme").iterdir():
        file.unlink()
    assert "No tenant yet" in office.run("tenants").stdout
    assert office.run("tenants", "--json") == []


def test_held_names_what_is_waited_for_and_the_money(office: Any) -> None:
    office.chunk(
        "invoices",
        key="k1",
        number="INV-1",
        amount="119.00",
        currency="EUR",
        state="waiting",
        first_try=OLD,
        waiting_for="account:6100",
        reason="The account 6100 has no counterpart.",
    )
    office.chunk(
        "vendors",
        {"records": [{"key": "V1"}, {"key": "V2"}]},
        id="9",
        count=2,
        state="waiting",
        waiting_for="company:ACME",
    )
    first, second = office.run("held", "acme", "--json")
    assert first == {
        "tenant": "acme",
        "integration": "sap_b1-basware",
        "flow": "invoices",
        "key": "k1",
        "keys": ["k1"],
        "number": "INV-1",
        "records": 1,
        "amount": "119.00",
        "currency": "EUR",
        "state": "on hold",
        "waiting_for": "account:6100",
        "cause": None,
        "reason": "The account 6100 has no counterpart.",
        "since": OLD,
        "next_retry": NEW,
    }
    assert (second["key"], second["records"], second["amount"]) == ("V1", 2, None)
    text = office.run("held").stdout
    assert "INV-1" in text
    assert "V1 and 1 more" in text
    assert text.endswith("Total of 3 records: 119.00 EUR.\n")


def test_held_adds_up_by_currency_and_passes_over_what_is_no_amount(office: Any) -> None:
    for key, amount, currency in (
        ("k1", "119.00", "EUR"),
        ("k2", "-19.05", "EUR"),
        ("k3", "7", "JPY"),
        ("k4", "?", "EUR"),
    ):
        office.chunk("invoices", key=key, amount=amount, currency=currency, state="waiting", waiting_for="account:1")
    assert office.run("held").stdout.endswith("Total of 4 records: 99.95 EUR, 7 JPY.\n")


def test_held_says_when_nothing_is(office: Any) -> None:
    assert office.run("held").stdout == "Nothing is held.\n"


def test_runs_adds_up_chunks_and_what_the_poll_found_unchanged(office: Any) -> None:
    office.done(
        "invoices", key="k1", run=OLD, done_at=OLD, delivered=1, outcome="delivered", amount="10.10", currency="EUR"
    )
    office.done("invoices", key="k2", delivered=1, outcome="delivered", amount="20.20", currency="EUR")
    office.chunk("invoices", key="k3", state="waiting", waiting_for="account:1", amount="5.00", currency="EUR")
    ledger = office.ledger("vendors")
    ledger.save_cursor(Cursor(figures=Figures(run=NEW, unchanged=7)), ledger.cursor()[1])
    rows = office.run("runs", "acme", "--json")
    assert [(r["run"], r["flow"], r["read"]) for r in rows] == [
        (NEW, "vendors", 7),
        (NEW, "invoices", 2),
        (OLD, "invoices", 1),
    ]
    assert rows[1]["amounts"]["EUR"]["delivered"] == "20.20"
    assert rows[1]["held"] == 1
    assert "delivered 20.20 EUR; held 5.00 EUR" in office.run("runs").stdout


def test_runs_of_notifications_stand_where_they_began_and_are_cut_like_the_others(office: Any) -> None:
    for day in range(1, 6):
        time = f"2026-01-0{day}T08:00:00.000000+00:00"
        office.done("payments", key=f"p{day}", run=time, created=time, done_at=time, delivered=1)
    for day, hour in ((2, 6), (4, 9), (4, 11)):
        time = f"2026-01-0{day}T{hour:02d}:00:00.000000+00:00"
        office.done(
            "invoices", key=f"w{day}{hour}", run=f"webhook 2026-01-0{day}", created=time, done_at=time, delivered=1
        )
    office.chunk("purchase_orders", id="notice~1", key="1", op="notice", run="notice")
    listed = [(r["run"][:18], r["started"][:13], r["read"]) for r in office.run("runs", "--limit", "3", "--json")]
    assert listed == [
        ("2026-01-05T08:00:0", "2026-01-05T08", 1),
        ("webhook 2026-01-04", "2026-01-04T09", 2),
        ("2026-01-04T08:00:0", "2026-01-04T08", 1),
    ]
    every = [r["started"][:13] for r in office.run("runs", "--json")]
    assert every == sorted(every, reverse=True)
    assert len(every) == 7
    assert "2026-01-04 09:00:00Z webhook" in office.run("runs").stdout


def test_runs_shows_the_newest_first_and_no_more_than_asked(office: Any) -> None:
    for day in range(1, 8):
        time = f"2026-01-0{day}T08:00:00.000000+00:00"
        office.done("payments", key=f"p{day}", run=time, done_at=time, delivered=1)
    rows = office.run("runs", "--limit", "2", "--json")
    assert [r["run"][:10] for r in rows] == ["2026-01-07", "2026-01-06"]
    assert office.run("runs", "--limit", "0", code=2)


def test_documents_joins_documents_and_master_records(office: Any) -> None:
    office.done(
        "invoices",
        key="k1",
        number="INV-1",
        outcome="delivered",
        target="18:77",
        code="4711",
        amount="119.00",
        currency="EUR",
        delivered=1,
        posted_on="2026-01-09",
    )
    office.done("vendors", id="5", count=2, done_at=OLD, delivered=1, rejected=1)
    office.row("vendors", "V1", outcome="delivered", code="V1", chunk="5")
    office.row("vendors", "V2", outcome="rejected", chunk="5", reason="No name.")
    office.row("vendors", "V3", outcome="delivered", chunk="4")
    rows = office.run("documents", "--json")
    assert [r["key"] for r in rows] == ["k1", "V1", "V2"]
    assert (rows[0]["target_number"], rows[0]["target"], rows[0]["amount"]) == ("4711", "18:77", "119.00")
    assert [r["posting_date"] for r in rows] == ["2026-01-09", None, None]
    (rejected,) = office.run("documents", "acme", "vendors", "--outcome", "rejected", "--json")
    assert (rejected["key"], rejected["reason"], rejected["at"]) == ("V2", "No name.", OLD)
    assert [r["key"] for r in office.run("documents", "--since", "2026-01-11", "--json")] == ["k1"]
    assert len(office.run("documents", "--limit", "1", "--json")) == 1
    assert "4711" in office.run("documents", "acme", "invoices").stdout


def test_a_document_is_listed_once_with_its_present_state_and_its_attempts_with_history(office: Any) -> None:
    early, late = (f"2026-01-{day}T08:00:00.000000+00:00" for day in (10, 12))
    office.done("invoices", key="k1", number="INV-1", id="1", done_at=early, outcome="rejected", reason="No rows.")
    office.done("invoices", key="k1", number="INV-1", id="2", done_at=late, outcome="delivered", code="4711")
    office.done("invoices", key="k2", number="INV-2", id="3", done_at=early, outcome="rejected", reason="No rows.")
    office.chunk(
        "invoices", key="k2", number="INV-2", id="4", state="waiting", waiting_for="account:6100", reason="Map"
    )
    office.chunk("invoices", key="k3", id="5", state="failed", cause="exhausted", reason="x")
    office.chunk("invoices", key="k4", id="6", state="posted", step="posted", target="18:7")
    names = ("key", "outcome", "state")
    assert sorted(tuple(r[n] for n in names) for r in office.run("documents", "--json")) == [
        ("k1", "delivered", "delivered"),
        ("k2", "held", "on hold"),
        ("k3", "failed", "failed"),
        ("k4", "pending", "awaiting Basware"),
    ]
    assert [r["key"] for r in office.run("documents", "--outcome", "held", "--json")] == ["k2"]
    assert office.run("documents", "--outcome", "rejected", "--json") == []
    assert sorted((r["key"], r["outcome"]) for r in office.run("documents", "--history", "--json")) == [
        ("k1", "delivered"),
        ("k1", "rejected"),
        ("k2", "rejected"),
    ]


def test_a_document_of_which_nothing_had_to_be_done_again_stays_what_it_was(office: Any) -> None:
    office.done("invoices", key="k1", done_at=OLD, outcome="unchanged", unchanged=1)
    office.row("invoices", "k1", outcome="delivered", code="4711", target="18:77", chunk="1")
    (row,) = office.run("documents", "--json")
    assert (row["outcome"], row["state"], row["target_number"]) == ("delivered", "delivered", "4711")
    assert [r["outcome"] for r in office.run("documents", "--history", "--json")] == ["unchanged"]


@pytest.mark.parametrize(("earlier", "now"), [("deliveries", "documents"), ("approve", "confirm-deactivation")])
def test_a_command_under_its_earlier_name_is_unknown_and_says_the_new_one(office: Any, earlier: str, now: str) -> None:
    assert f"No such command '{earlier}': it was renamed to '{now}'." in office.run(earlier, "acme", code=2).stderr


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--outcome", "deliverd", "'deliverd' is not one of 'delivered', 'unchanged'"),
        ("--limit", "0", "it must be greater than or equal to 1"),
        ("--limit", "few", "it must be a valid integer"),
    ],
)
def test_a_value_that_an_option_does_not_take_is_refused_in_plain_words(
    office: Any, option: str, value: str, said: str
) -> None:
    shown = office.run("documents", option, value, code=2).stderr
    assert f"Invalid value for '{option}': {said}" in shown and "unable to parse" not in shown


def test_a_number_longer_than_any_documents_does_not_stretch_the_listings(office: Any) -> None:
    office.done("invoices", key="k1", number="7" * 120, outcome="rejected", reason="Too long.")
    office.chunk("invoices", key="k2", number="8" * 120, waiting_for="tax:19", state="waiting", reason="Not mapped.")
    assert f"{'7' * 40}…  rejected" in office.run("documents").stdout
    assert f"{'8' * 40}…" in (held := office.run("held").stdout) and "8" * 41 not in held
    assert {r["number"] for r in office.run("documents", "--json")} == {"7" * 120, "8" * 120}


def test_documents_refuses_a_time_that_is_none(office: Any) -> None:
    assert "'yesterday' is not a valid time" in office.run("documents", "--since", "yesterday", code=2).stderr


def test_times_may_be_so_long_ago() -> None:
    now = SystemClock().now().replace(2026, 1, 31, 12, 0, 0, 0)
    assert moment_of("12h", now).startswith("2026-01-31T00:00:00")
    assert moment_of("7d", now).startswith("2026-01-24T12:00:00")
    assert moment_of("2026-01-31T14:00+02:00", now).startswith("2026-01-31T12:00:00")
    with pytest.raises(Misconfigured):
        moment_of("xd", now)


def test_columns_stand_in_line_also_with_wide_characters() -> None:
    text = table.text([{"a": "商社", "b": 1}, {"a": "x", "b": None}], ("a", "b"))
    assert text == "a     b\n商社  1\nx"
