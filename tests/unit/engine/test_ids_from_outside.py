"""Ids are other people's texts: none becomes a path or a key as it came, and whatever the report meets, work ends."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ml_connector.embedded.blobs import FolderBlobs, MemoryBlobs
from ml_connector.engine.ledger import audit
from ml_connector.engine.ledger.enqueue import enqueue
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.poll.run import LONGEST_KEY, bounded
from ml_connector.errors import Held, Rejected, Transient
from ml_connector.flow import Broken, DocumentPage, ListedDocument, Page
from ml_connector.ports import object_key
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, account, invoice

ODD = [
    "../../x", "..", ".", "", "/etc/passwd", "a/b", "a//b", "a%2Fb", "a%b", "..\\..\\x", "C:\\x", "C:x", "nul\0l",
    "a\nb", "a\x7fb", "a b", "ä", "a\u0308", "客" * 300, "x" * 2000, "x" * 2001, "x" * 130 + "%", "\ud800", "…",
    "audit~x", "audit~0123456789ab~INV-1", "notice~x", "a#b", "~", "-", "%-", ".drafts", "...", "INV-1", "inv~1.2_3",
]  # fmt: skip


def chunk(name: str) -> Chunk:
    return Chunk(id=name, tenant="acme", integration="i", flow="f", lane="l", run="r", created="2026-03-02")


def test_each_id_has_a_folder_of_its_own_that_both_families_take() -> None:
    folders = [audit.prefix(chunk(name)) for name in ODD]
    assert len(set(folders)) == len(ODD)
    for folder in folders:
        assert len(object_key(f"{folder}00001-abc.json.gz")) == 7, folder
        assert folder.isascii()


def test_what_is_harmless_stays_as_it_is() -> None:
    for name in ("INV-1", "inv~1.2_3", "0000000001.abcdef", "a3d81173"):
        assert audit.prefix(chunk(name)).endswith(f"/2026-03-02/{name}/")


def test_a_folder_is_read_back_as_the_id() -> None:
    for name in ODD:
        shown = audit.name_of(audit.folder_name(name))
        if len(name) < 100 and name not in {"", "\ud800"}:
            assert shown == name
        elif len(name) > 1000:
            assert shown.endswith("…") and name.startswith(shown[:-1])


@pytest.mark.parametrize("name", [n for n in ODD if n and n != "\ud800"])
def test_a_document_of_any_id_ends_and_keeps_its_history(bench: Bench, tmp_path: Path, name: str) -> None:
    if len(name.encode()) > LONGEST_KEY:
        return
    bench.runtime = replace(bench.runtime, blobs=FolderBlobs(tmp_path / "state"))
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    ledger = bench.pair().ledger("invoices")
    assert enqueue(ledger, ListedDocument(name), run="webhook", in_lane="acme.erp.0") is not None  # it is not there
    bench.work(0.1)
    assert list(ledger.unfinished()) == []
    bench.systems.invoices = {name: replace_key(name)}
    bench.poll(INVOICES)
    bench.work(0.1)
    first, second = ledger.finished()
    assert (first.outcome, second.outcome) == ("unchanged", "delivered")
    assert audit.verify(bench.runtime.blobs, second) == []
    assert [body["chunk"] for _, body in audit.read(bench.runtime.blobs, second)] == [name, name]
    assert {path.name for path in tmp_path.iterdir()} == {"state"}, "something was written elsewhere"


def replace_key(name: str) -> Any:
    return msgspec.structs.replace(invoice("i1"), key=name)


def test_a_key_that_no_row_takes_is_rejected_where_it_is_read() -> None:
    long = "k" * (LONGEST_KEY + 1)
    page = bounded(DocumentPage([ListedDocument("a"), ListedDocument(long)], [Broken("x" * 5000, "bad")]))
    assert [offer.key for offer in page.documents] == ["a"]
    assert [len(b.key) for b in page.broken] == [117, 117]
    assert "far too long" in page.broken[1].reason
    masters = bounded(Page([account("6100"), account(long)]))
    assert ([r.key for r in masters.records], len(masters.broken)) == (["6100"], 1)
    short = Page([account("6100")])
    assert bounded(short) is short


def test_a_flow_goes_on_over_a_key_that_no_row_takes(bench: Bench) -> None:
    bench.systems.accounts = {"6100": account("6100"), "long": account("k" * 1100)}
    bench.compare(ACCOUNTS)
    assert set(bench.systems.taken) == {"6100"}
    assert bench.sheet(ACCOUNTS).counts["rejected"] == 1


# ── the report ───────────────────────────────────────────────────────────────────────────────────────────────


class Full(MemoryBlobs):
    """A disk that is full, or a bucket that is away."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def put(self, key: str, body: bytes) -> None:
        raise self.error


def test_work_ends_without_an_audit_object_that_no_bucket_takes_and_says_so(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """What a bucket does not take at the moment is kept (`test_parked.py`); a name that is none is not."""
    error = ValueError("no key")
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.runtime = replace(bench.runtime, blobs=Full(error))
    bench.systems.invoices = {"i1": invoice("i1")}
    bench.poll(INVOICES)
    with caplog.at_level(logging.ERROR):
        bench.work(0.1)
    (done,) = bench.pair().ledger("invoices").finished()
    assert (done.outcome, len(bench.systems.booked), len(bench.systems.answers)) == ("delivered", 1, 1)
    assert "is missing from the audit trail" in done.notes[-1] and str(error) in done.notes[-1]
    assert "not in the audit trail" in caplog.text


@pytest.mark.parametrize(
    "error", [Held("account:x\ud800", "\ud800"), Held("period:1", "long " * 200_000), Rejected("long " * 200_000)]
)
def test_a_reason_that_no_row_takes_is_shortened(bench: Bench, error: Exception) -> None:
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices = {"i1": invoice("i1")}
    bench.systems.faults = [("post", error)]
    bench.poll(INVOICES)
    bench.work(0.05)
    ledger = bench.pair().ledger("invoices")
    every = [*ledger.unfinished(), *ledger.finished()]
    assert [(c.crashes, c.state) for c in every] == [(0, "waiting" if isinstance(error, Held) else "done")]
    assert len(str(every[0].reason)) <= 2000


def test_a_dead_letter_that_cannot_be_sent_leaves_the_row_dead(bench: Bench) -> None:
    def dead_letter(*_: object) -> None:
        raise Transient("throttled")

    bench.runtime.queue.dead_letter = dead_letter  # type: ignore[method-assign]
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices = {"i1": invoice("i1")}
    bench.poll(INVOICES)
    bench.systems.faults = [("fetch", RuntimeError("a fault of ours"))] * 9
    bench.work(0.5)
    (dead,) = bench.pair().ledger("invoices").unfinished()
    assert (dead.state, dead.cause) == ("failed", "crashed")
