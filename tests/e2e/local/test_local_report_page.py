"""What a person reads of a run: the page, and the words on the terminal."""

import re
from datetime import datetime
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from infra.local.report import errors, verdict
from infra.sandbox.basware.seed_invoices import Coding
from ml_connector.engine.ledger.control_totals import PLACES


class Page(HTMLParser):
    """Collects what an assistive program hears: every table with its caption, headings and cells."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.open, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "br", "!doctype"}:
            self.open.append(tag)
        if tag == "table":
            self.tables.append({"caption": "", "th": [], "td": []})
        if tag in {"th", "td"}:
            self.tables[-1][tag].append(dict(attrs))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.open)

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"style"}:
            self.text += data
        if "caption" in self.open:
            self.tables[-1]["caption"] += data


def page(stage, *more):
    out = stage.folder.parent / "report.html"
    ran = stage.cli("local", "run", "--secrets", str(stage.folder), "--report", str(out), *more)
    return ran, out.read_text("utf-8")


def test_the_page_says_when_how_long_and_what_was_rejected_with_number_and_amount(small):
    small.invoice("35.50", account="6999")
    broken = small.invoice("7.77", codingRows=[])
    thirds = [Coding("400002", "CC102", Decimal("6.666667"), "V0")] * 3
    refused = small.invoice(rows=thirds, netSum=Decimal("20.00"), grossSum=Decimal("20.00"))
    ran, text = page(small)
    read = Page(text)
    when = re.search(r'<time datetime="([^"]+)">', text)
    assert datetime.fromisoformat(when[1]).tzinfo is not None
    assert "UTC" in read.text
    assert re.search(r"after [\d.]+ s", read.text)
    number = small.ap.documents[refused].record["invoiceNumber"]
    assert f"{number}acmeinvoices20.00 EUR" in read.text.replace("\n", "")
    assert broken in read.text or small.ap.documents[broken].record["invoiceNumber"] in read.text
    assert "Dry run" not in read.text
    assert f"mappings set acme account 6999 SAP-ACCOUNT --secrets {small.folder}" in read.text
    assert f"rejected  invoices {number} (20.00 EUR): " in ran.stdout


def test_every_table_is_marked_up_for_those_who_hear_it(small):
    small.invoice("35.50", account="6999")
    _, text = page(small)
    read = Page(text)
    assert len(read.tables) == 3  # figures, money, held
    for table in read.tables:
        assert table["caption"]
        assert {th["scope"] for th in table["th"]} == {"col", "row"}
        assert {th["role"] for th in table["th"]} == {"columnheader", "rowheader"}
        assert all(td["data-label"] and td["role"] == "cell" for td in table["td"])
    assert '<html lang="en">' in text
    assert 'name="viewport"' in text
    assert "@media(max-width" in text


def test_a_dry_run_and_a_shadow_tenant_are_marked(small):
    small.invoice("5.00")
    ran, text = page(small, "--dry-run")
    assert "Dry run" in Page(text).text
    assert "would send" in Page(text).text
    assert ran.stdout.startswith("Dry run:")
    small.write("settings", shadow=True)
    ran, text = page(small)
    assert "acme is in shadow: nothing is written to either system" in ran.stdout
    assert re.search(r'<h2>acme · sap_b1-basware <span class="mark">shadow</span></h2>', text)


@pytest.fixture
def locked_out(small):
    small.invoice("12.00")
    small.write("sap_b1", password="wrong-one")
    return small


def test_one_error_of_one_system_is_said_once(locked_out):
    ran, text = page(locked_out)
    assert ran.returncode == 1
    assert ran.stdout.count("refused the login of user 'manager'") == 1
    assert Page(text).text.count("refused the login of user 'manager'") == 1
    assert "could not run: " in ran.stdout
    assert ran.stdout.count("read   could not run") == 5  # the invoice was read, and is pending
    assert "(all flows)" in ran.stdout
    assert "NOT RECONCILED" not in ran.stdout
    assert "could not run. What was read is reconciled" in ran.stdout
    assert "could not run. What was read is reconciled" in Page(text).text


def test_an_unusable_secret_is_said_once_for_all_flows(small):
    small.write("basware", region="MOON")
    ran, _ = page(small)
    assert ran.returncode == 2
    assert ran.stdout.count("'region' cannot be used") == 1
    assert "(all flows)" in ran.stdout


def row(error=None, **counts):
    return {**dict.fromkeys(PLACES, 0), **counts, "error": error}


def made(**flows):
    return {"tenants": {"acme": {"sap_b1-basware": flows}}, "reconciled": False, "elapsed_seconds": 1.0}


def test_only_figures_that_do_not_agree_are_called_not_reconciled():
    assert verdict(made(vendors=row(read=2, delivered=1)))[1].startswith("NOT RECONCILED")
    money = {"EUR": {**dict.fromkeys(PLACES, "0.00"), "read": "1.00", "delivered": "0.99"}}
    assert verdict(made(invoices=row(read=1, delivered=1) | {"amounts": money}))[1].startswith("NOT RECONCILED")
    assert verdict(made(vendors=row("away", read=2, pending=2)))[1].startswith("1 flow could not run")
    assert verdict(made(vendors=row(read=2, delivered=2)))[0] == "good"


def test_what_the_door_adds_makes_no_other_error_and_another_system_does():
    away, login = "Basware at b is away.", "SAP refused the login."
    flows = {
        "vendors": row(login),
        "accounts": row(f"{login} Nothing logs in again until the secret is changed."),
        "invoices": row(f"{away} Work waits until 10:00."),
        "payments": row(f"{away} Work waits until 10:05."),
    }
    found = errors(made(**flows), "acme")
    assert [which for _, which in found] == [["vendors", "accounts"], ["invoices", "payments"]]
    assert "until the secret is changed" in found[0][0]
