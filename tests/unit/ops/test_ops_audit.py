"""audit: one record's history, by any of its numbers, and the proof that nobody changed it."""

from __future__ import annotations

import gzip
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ml_connector.engine.ledger import audit

packed = partial(gzip.compress, mtime=0)  # without the time, or the workers of the tests name them apart


@pytest.fixture
def invoice(office: Any) -> Any:
    """An invoice that was posted as 4711, with two attempts on record."""
    chunk = office.chunk("invoices", key="k1", number="INV-1", state="waiting")
    ledger = office.ledger("invoices")
    office.attempt(chunk, state="waiting", reason="The server is away.")
    office.attempt(chunk, state="done")
    chunk.target, chunk.code, chunk.outcome, chunk.delivered = "18:77", "4711", "delivered", 1
    ledger.finish(chunk, ledger.chunk("k1")[1])
    office.row("invoices", "k1", outcome="delivered", number="INV-1", code="4711", target="18:77", chunk="k1")
    return chunk


@pytest.mark.parametrize("key", ["k1", "INV-1", "4711", "18:77"])
def test_a_record_is_found_by_key_and_by_every_number(office: Any, invoice: Any, key: str) -> None:
    history = office.run("audit", "acme", "invoices", key, "--json")
    assert history["key"] == "k1"
    assert history["record"]["code"] == "4711"
    (chunk,) = history["chunks"]
    assert [a["n"] for a in chunk["attempt_list"]] == [1, 2]
    exchange = chunk["attempt_list"][0]["exchanges"][0]
    assert (exchange["method"], exchange["status"]) == ("POST", 201)
    assert "request_body" not in exchange


@pytest.mark.parametrize("key", ["\udcff", "k" * 5000, "../../x", "a\\b"])
def test_a_key_that_no_row_can_have_is_not_found(office: Any, invoice: Any, key: str) -> None:
    assert "Nothing is known of" in office.run("audit", "acme", "invoices", key, code=1).output
    assert "Nothing is known of" in office.run("replay", "acme", "invoices", key, "--yes", code=1).output


def test_a_document_whose_id_looks_like_a_path_has_a_history(office: Any) -> None:
    chunk = office.chunk("invoices", key="../../x", state="waiting")
    office.attempt(chunk, state="waiting")
    ledger = office.ledger("invoices")
    ledger.save(chunk, ledger.chunk("../../x")[1])
    history = office.run("audit", "acme", "invoices", "../../x", "--json")
    assert (history["key"], [len(c["attempt_list"]) for c in history["chunks"]]) == ("../../x", [1])
    for path in (office.folder / ".state").rglob("*.json.gz"):
        path.unlink()
    text = office.run("audit", "acme", "invoices", "../../x", "--verify", code=1).stdout
    assert "/../../x/: an attempt is missing" in text, "the id is shown as it is"


def test_bodies_are_printed_where_asked_for(office: Any, invoice: Any) -> None:
    text = office.run("audit", "acme", "invoices", "k1").stdout
    assert "POST https://sap.example.com/b1s/v2/PurchaseInvoices → 201" in text
    assert "DocTotal" not in text
    assert '> {"DocTotal": "119.00"}' in office.run("audit", "acme", "invoices", "k1", "--bodies").stdout
    history = office.run("audit", "acme", "invoices", "k1", "--bodies", "--json")
    assert history["chunks"][0]["attempt_list"][0]["exchanges"][0]["response_body"] == '{"ok": 1}'


def test_what_was_refused_is_not_called_posted(office: Any) -> None:
    chunk = office.chunk("invoices", key="k1", number="INV-1", amount="119.00", currency="EUR", state="posted")
    office.attempt(chunk, state="waiting", step="sent")
    office.attempt(chunk, state="posted", step="answered", reason="Invoice INV-1 has no coding rows.")
    office.attempt(chunk, state="posted", step="answered", number="4711")
    office.attempt(chunk, state="done", step="answered", outcome="delivered", number="4711")
    ledger = office.ledger("invoices")
    ledger.save(chunk, ledger.chunk("k1")[1])
    text = office.run("audit", "acme", "invoices", "k1").stdout
    assert "record: not completed yet (number INV-1, 119.00 EUR)" in text
    for line in (
        "Z  in doubt\n",
        "Z  refused, reported to Basware: Invoice INV-1 has no coding rows.",
        "Z  posted as 4711, reported to Basware\n",
        "Z  delivered\n",
    ):
        assert line in text


def test_verify_is_content_with_a_whole_chain(office: Any, invoice: Any) -> None:
    assert "✓" in office.run("audit", "acme", "invoices", "k1", "--verify").stdout
    assert office.run("audit", "acme", "invoices", "k1", "--verify", "--json")["faults"] == []


def test_verify_finds_a_changed_body(office: Any, invoice: Any) -> None:
    first = _objects(office, invoice)[0]
    head, _, body = gzip.decompress(first.read_bytes()).partition(b"\n")
    first.write_bytes(gzip.compress(head + b"\n" + body.replace(b"119.00", b"911.00")))
    assert "the body was changed" in office.run("audit", "acme", "invoices", "k1", "--verify", code=1).stdout


def test_verify_finds_a_removed_attempt(office: Any, invoice: Any) -> None:
    _objects(office, invoice)[0].unlink()
    found = office.run("audit", "acme", "invoices", "k1", "--verify", "--json", code=1)
    assert "missing" in found["faults"][0]


MARKS = (b"", b', "purged_at": "2026-01-11T08:00:00.000000+00:00", "purged_by": "Ada"')


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("which", [0, 1])
def test_verify_finds_a_body_that_was_removed_without_a_purge(
    office: Any, invoice: Any, which: int, mark: bytes
) -> None:
    """Whoever can write objects can write the mark of a purge into one; the state store knows of none."""
    one = _objects(office, invoice)[which]
    head = gzip.decompress(one.read_bytes()).partition(b"\n")[0]
    one.write_bytes(gzip.compress(head[:-1] + mark + b"}\n"))
    found = office.run("audit", "acme", "invoices", "k1", "--verify", "--json", code=1)
    assert len(found["faults"]) == 1 and "no purge on record" in found["faults"][0]


def test_a_purge_vouches_for_what_it_emptied_and_for_nothing_else(office: Any, invoice: Any) -> None:
    first, last = _objects(office, invoice)
    kept = last.read_bytes()
    office.run("purge", "acme", "--force", "--by", "Ada", "--yes")
    assert office.run("audit", "acme", "invoices", "k1", "--verify", "--json")["faults"] == []
    for path, other in ((first, b"Bob"), (last, b"Bob")):
        whole = gzip.decompress(path.read_bytes())
        path.write_bytes(gzip.compress(whole.replace(b"Ada", other)))
        assert "no purge on record" in str(office.run("audit", "acme", "invoices", "k1", "--verify", code=1).stdout)
        path.write_bytes(gzip.compress(whole))
    last.write_bytes(kept)
    assert office.run("audit", "acme", "invoices", "k1", "--verify", "--json")["faults"] == [], "restored from a backup"


def test_a_purge_that_was_cut_short_is_finished_by_the_next(office: Any, invoice: Any) -> None:
    head, _ = audit.opened(_objects(office, invoice)[0].read_bytes())
    at = "2026-01-10T00:00:00.000000+00:00"
    assert audit.purging(office.workspace.runtime.store, "acme", head, at, "Eve") == (at, "Eve")
    office.run("purge", "acme", "--force", "--by", "Ada", "--yes")
    assert office.run("audit", "acme", "invoices", "k1", "--verify", "--json")["faults"] == []
    text = office.run("audit", "acme", "invoices", "k1").stdout
    assert "by Eve" in text and "by Ada" in text


@pytest.mark.parametrize("gone", [[0], [1], [0, 1]])
def test_verify_finds_whatever_is_missing_of_the_objects(office: Any, invoice: Any, gone: list[int]) -> None:
    for path in [_objects(office, invoice)[n] for n in gone]:
        path.unlink()
    assert office.run("audit", "acme", "invoices", "k1", "--verify", "--json", code=1)["faults"]


@pytest.mark.parametrize("audits", [0, 1, 2, 3])
@pytest.mark.parametrize("chain", [None, 0, 1])
def test_verify_finds_a_row_that_disagrees_with_the_objects(office: Any, audits: int, chain: int | None) -> None:
    chunk = office.chunk("invoices", key="k2", state="waiting")
    office.attempt(chunk, state="waiting")
    office.attempt(chunk, state="done")
    heads = [audit.opened(path.read_bytes())[0]["hash"] for path in _objects(office, chunk)]
    chunk.audits, chunk.chain = audits, None if chain is None else heads[chain]
    ledger = office.ledger("invoices")
    ledger.finish(chunk, ledger.chunk("k2")[1])
    whole = (audits, chain) == (2, 1)
    found = office.run("audit", "acme", "invoices", "k2", "--verify", "--json", code=0 if whole else 1)
    assert (found["faults"] == []) is whole


def test_verify_is_not_content_where_nothing_is_left(office: Any) -> None:
    office.row("invoices", "k9", outcome="delivered", number="INV-9", code="4712", target="18:78", chunk="k9")
    found = office.run("audit", "acme", "invoices", "k9", "--verify", "--json", code=1)
    assert "Nothing is left that could be verified" in found["faults"][0]


def test_two_chunks_of_one_day_keep_their_attempts_apart(office: Any, invoice: Any) -> None:
    again = office.chunk("invoices", key="k1", state="waiting", number="INV-1")
    office.attempt(again, state="waiting")
    ledger = office.ledger("invoices")
    ledger.save(again, ledger.chunk("k1")[1])
    history = office.run("audit", "acme", "invoices", "k1", "--verify", "--json")
    assert [len(c["attempt_list"]) for c in history["chunks"]] == [2, 1]
    assert not any("beside_the_chain" in a for c in history["chunks"] for a in c["attempt_list"])


def test_an_attempt_whose_worker_had_lost_the_row_is_shown_all_the_same(office: Any, invoice: Any) -> None:
    invoice.chain, invoice.audits = None, 0
    office.attempt(invoice, state="done")  # written beside the chain that the row knows
    history = office.run("audit", "acme", "invoices", "k1", "--verify", "--json")
    assert [a.get("beside_the_chain", False) for a in history["chunks"][0]["attempt_list"]] == [False, False, True]
    assert "outside of the chain" in office.run("audit", "acme", "invoices", "k1").stdout


def test_a_master_record_shows_the_chunk_that_settled_it_and_the_one_it_came_from(office: Any) -> None:
    office.done("vendors", id="7", count=2, moved=1, delivered=1)
    office.done("vendors", id="7.V1", delivered=1)
    office.done("vendors", id="8", delivered=1)
    office.row("vendors", "V1", outcome="delivered", chunk="7.V1")
    history = office.run("audit", "acme", "vendors", "V1", "--json")
    assert [c["id"] for c in history["chunks"]] == ["7", "7.V1"]


def test_a_held_master_record_is_found_in_its_chunk(office: Any) -> None:
    office.chunk(
        "vendors", {"records": [{"key": "V1"}, {"key": "V2"}]}, id="7", state="waiting", waiting_for="company:A"
    )
    history = office.run("audit", "acme", "vendors", "V2", "--json")
    assert (history["record"], history["chunks"][0]["id"]) == (None, "7")
    assert "waiting for company:A" in office.run("audit", "acme", "vendors", "V2").stdout


@pytest.mark.parametrize("words", [["audit"], ["replay"]])
def test_a_number_of_several_records_says_how_each_stands_and_how_to_choose(office: Any, words: list[str]) -> None:
    office.done("invoices", key="k1", number="2026-1", amount="185.05", currency="EUR", outcome="delivered")
    office.row("invoices", "k1", outcome="delivered", number="2026-1", code="50802")
    office.row("invoices", "k2", outcome="rejected", number="2026-1")
    for key, more in {
        "k3": {"waiting_for": "conflict:k3"},
        "k4": {"state": "failed"},
        "k5": {"waiting_for": "account:6100"},
    }.items():
        office.chunk(
            "invoices", key=key, number="2026-1", amount="142.80", currency="USD", **{"state": "waiting", **more}
        )
    said = office.run(*words, "acme", "invoices", "2026-1", code=2).stderr.splitlines()
    assert said[0] == "5 records of acme sap_b1-basware/invoices have the number 2026-1:"
    assert [line.strip() for line in said[1:6]] == [
        "k1  delivered, 185.05 EUR, posted as 50802",
        "k2  rejected",
        "k3  held for conflict, 142.80 USD",
        "k4  failed, 142.80 USD",
        "k5  held for account:6100, 142.80 USD",
    ]
    assert "Write the key of the one that you mean" in said[6]
    assert f"`ml-connector audit acme invoices KEY --secrets {office.folder}`" in said[6]


def test_an_unknown_key_says_where_to_look(office: Any) -> None:
    assert "Nothing is known of nope" in office.run("audit", "acme", "invoices", "nope", code=1).stderr


def _objects(office: Any, chunk: Any) -> list[Path]:
    return [
        office.folder / ".state" / "audit" / key for key in office.workspace.runtime.blobs.keys(audit.prefix(chunk))
    ]


@pytest.mark.parametrize("damage", [b"no gzip", b"\x1f\x8b\x08", packed(b"[1]\n{}"), packed(b'{"n": 1}')])
def test_an_object_that_cannot_be_read_is_named_and_hides_no_other(office: Any, invoice: Any, damage: bytes) -> None:
    last = _objects(office, invoice)[-1]
    last.write_bytes(damage)
    for words in ([], ["--verify"]):
        text = office.run("audit", "acme", "invoices", "k1", *words, code=1).stdout
        assert "Traceback" not in text
        assert f"{last.name}: it cannot be read as an audit object; restore it from a backup" in text
        assert "not linked: an attempt after it is missing or cannot be read" in text
    history = office.run("audit", "acme", "invoices", "k1", "--verify", "--json", code=1)
    assert len(history["faults"]) == 2  # the gap in the chain, and why
    assert [a["n"] for a in history["chunks"][0]["attempt_list"]] == [1]


def test_a_purge_leaves_what_it_cannot_read_and_says_so(office: Any, invoice: Any) -> None:
    first, last = _objects(office, invoice)
    last.write_bytes(b"no gzip")
    text = office.run("purge", "acme", "--force", "--yes", code=1).stdout
    assert "1 attempt was purged of acme" in text
    assert last.name in text
    assert last.read_bytes() == b"no gzip"
    assert gzip.decompress(first.read_bytes()).count(b"\n") == 1
