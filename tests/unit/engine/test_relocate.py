"""The same company under another address: what is known is counted, said, compared and carried over, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.engine import endpoints, relocate
from ml_connector.engine.comparison import compare
from ml_connector.engine.ledger import audit
from ml_connector.engine.ledger.enqueue import enqueue
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import SentDocument
from ml_connector.engine.replay import replay
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write import deferred_audit
from ml_connector.engine.write.attempt import claim
from ml_connector.errors import OutcomeUnknown, Transient
from ml_connector.flow import ListedDocument
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Killed, account, invoice

OLD = {"erp": {"server": "https://old", "company": "ACME"}, "ap": {"server": "ap", "region": "EU"}}
NEW = {**OLD, "erp": {"server": "https://new", "company": "ACME"}}


class Moving(Bench):
    """The bench, at the earlier or the present address."""

    scope, places = "old", OLD

    def pair(self) -> TenantIntegration:
        return replace(super().pair(), scope=self.scope, endpoints=self.places)

    def move_away(self) -> TenantIntegration:
        endpoints.note(self.pair())
        self.scope, self.places = "new", NEW
        return self.pair()


class Away(MemoryBlobs):
    """A bucket that takes nothing."""

    def put(self, key: str, body: bytes) -> None:
        raise Transient("AWS throttles the bucket; it is tried again later.")


@pytest.fixture
def moving(bench: Any) -> Moving:
    return Moving(bench.runtime, bench.systems, bench.clock, bench.queue)


def delivered(bench: Moving, *keys: str) -> None:
    bench.systems.accounts = {"6100": account("6100")}
    bench.systems.invoices |= {k: invoice(k) for k in keys}
    for flow in (ACCOUNTS, INVOICES):
        bench.poll(flow)
        bench.work(0.1)
    assert len(bench.systems.booked) == len(keys)


def rows(store: Any) -> dict[tuple[str, str], Any]:
    found = store._connection.execute("SELECT pk, sk, data FROM rows").fetchall()
    return {(pk, sk): data for pk, sk, data in found}


def test_a_left_endpoint_is_named_with_its_documents_at_each_run_and_counted_once(moving: Moving) -> None:
    delivered(moving, "a", "b")
    assert endpoints.note(moving.pair()) == []
    pair = moving.move_away()
    (earlier,) = endpoints.note(pair)
    said = earlier.sentence(pair)
    assert (earlier.documents, earlier.changed) == (2, ("erp",))
    assert "2 documents are known under the earlier endpoint (erp at server https://old, company ACME)" in said
    assert "`ml-connector endpoint move acme erp`" in said
    read: list[str] = []
    whole = pair.runtime.store.query
    moving.runtime.store.query = lambda pk, *a, **k: read.append(pk) or whole(pk, *a, **k)  # type: ignore[method-assign]
    assert endpoints.note(pair) == [earlier]
    assert read == [endpoints.partition(pair)]  # nothing that grows with the documents


def test_nothing_is_said_where_nothing_was_known_or_a_person_keeps_it_apart(moving: Moving) -> None:
    assert endpoints.note(moving.move_away()) == []
    moving.scope, moving.places = "old", OLD
    delivered(moving, "a")
    pair = moving.move_away()
    (earlier,) = endpoints.note(pair)
    endpoints.keep_apart(pair, earlier.scope, "ada")
    assert endpoints.note(pair) == []


def test_a_tenant_that_goes_back_knows_everything_again(moving: Moving) -> None:
    delivered(moving, "a")
    moving.move_away()
    endpoints.note(moving.pair())
    moving.scope, moving.places = "old", OLD
    assert endpoints.note(moving.pair()) == []
    moving.scope, moving.places = "new", NEW
    assert [e.documents for e in endpoints.note(moving.pair())] == [1]


def test_what_was_delivered_is_known_after_the_move_and_posted_never_again(moving: Moving) -> None:
    delivered(moving, "a", "b")
    seq = moving.pair().ledger("accounts").cursor()[0].seq
    pair = moving.move_away()
    (earlier,) = endpoints.note(pair)
    assert len(compare(pair, earlier).agree) == 2
    moved = relocate.move(pair, earlier.scope, "ada")
    assert (moved.documents, moved.records, moved.twice) == (2, 1, [])
    assert endpoints.note(pair) == []
    assert endpoints.known(pair)[pair.scope][0].moves[0]["by"] == "ada"
    assert pair.ledger("accounts").cursor()[0].seq >= seq
    assert not [pk for pk, _ in rows(moving.runtime.store) if pk.endswith("#old")]
    moving.systems.standing["a"] = "offered"  # answered again, not posted
    for flow in (ACCOUNTS, INVOICES):
        moving.compare(flow)
    assert len(moving.systems.booked) == 2
    assert len(moving.systems.sends) == 1  # the account did not travel again
    assert moving.pair().ledger("invoices").links(["100"]) == {"100": "a"}


def test_an_attempt_that_waits_for_the_audit_trails_bucket_comes_along(moving: Moving) -> None:
    blobs = moving.runtime.blobs
    moving.runtime = replace(moving.runtime, blobs=Away())
    delivered(moving, "a")
    (done,) = moving.pair().ledger("invoices").finished()
    pair = moving.move_away()
    (earlier,) = endpoints.note(pair)
    relocate.move(pair, earlier.scope, "ada")
    assert not [pk for pk, _ in rows(moving.runtime.store) if pk.endswith("#old")]
    moving.runtime = replace(moving.runtime, blobs=blobs)
    moving.work(1)
    assert audit.verify(blobs, done) == [] and list(deferred_audit.waiting(moving.pair().ledger("invoices"))) == []


@pytest.mark.parametrize("stop", range(1, 40, 3))
def test_a_kill_at_any_write_may_be_repeated(moving: Moving, stop: int) -> None:
    delivered(moving, "a", "b")
    moving.systems.invoices["c"] = invoice("c", account="6999")
    moving.poll(INVOICES)
    moving.work(0.1)  # held
    pair = moving.move_away()
    (earlier,) = endpoints.note(pair)
    left = [stop]

    def dies(write: Any) -> Any:
        def wrapped(*args: Any) -> Any:
            left[0] -= 1
            if not left[0]:
                raise Killed
            return write(*args)

        return wrapped

    store = moving.runtime.store
    put, delete = store.put, store.delete
    store.put, store.delete = dies(put), dies(delete)  # type: ignore[method-assign]
    try:
        relocate.move(pair, earlier.scope, "ada")
    except Killed:
        store.put, store.delete = put, delete  # type: ignore[method-assign]
        if endpoints.note(pair):
            assert endpoints.note(pair)[0].moving or stop == 1
            relocate.move(pair, earlier.scope, "ada")
    store.put, store.delete = put, delete  # type: ignore[method-assign]
    ledger = pair.ledger("invoices")
    assert {k for k, row in ledger.all_rows() if row.outcome == "delivered"} == {"a", "b"}
    assert [c.key for c in ledger.unfinished()] == ["c"]
    assert ledger.links(["100", "101"]) == {"100": "a", "101": "b"}
    assert not [pk for pk, _ in rows(store) if pk.endswith("#old")]


def test_work_in_a_workers_hands_is_left_alone(moving: Moving) -> None:
    delivered(moving, "a")
    ledger = moving.pair().ledger("invoices")
    moving.systems.invoices["b"] = invoice("b")
    moving.poll(INVOICES)
    chunk, item = ledger.chunk("b")  # type: ignore[misc]
    chunk.state, chunk.due_at, chunk.number, chunk.amount, chunk.currency = "sending", "2999", "R-b", "119.00", "EUR"
    chunk.owner = moving.runtime.boot
    ledger.save(chunk, item)
    pair = moving.move_away()
    with pytest.raises(relocate.Busy, match=r"invoices R-b \(119.00 EUR\) is being worked on"):
        relocate.move(pair, "old", "ada")
    assert ledger.chunk("b") is not None


def test_a_posting_in_doubt_stays_in_doubt_though_the_same_is_offered_under_the_new_address(moving: Moving) -> None:
    delivered(moving, "a")
    moving.systems.invoices["b"] = invoice("b")
    moving.systems.faults = [("post-acted", OutcomeUnknown("The connection broke."))]
    moving.poll(INVOICES)
    moving.work()
    assert moving.pair().ledger("invoices").chunk("b")[0].step == "unknown"  # type: ignore[index]
    pair = moving.move_away()
    (earlier,) = endpoints.note(pair)
    assert earlier.documents == 2
    moving.systems.standing["b"] = "offered"
    moving.poll(INVOICES)  # a run at the new address, before the move
    relocate.move(pair, "old", "ada")
    assert pair.ledger("invoices").chunk("b")[0].step == "unknown"  # type: ignore[index]
    assert next(c.reason for c in pair.ledger("invoices").finished() if c.key == "b").startswith("Superseded")
    moving.work(2)
    assert len(moving.systems.booked) == 2


def test_another_company_is_refused_by_its_documents(moving: Moving) -> None:
    delivered(moving, "a", "b")
    pair = moving.move_away()
    (earlier,) = endpoints.note(pair)
    other = replace(moving.systems.booked[0][1], amount=moving.systems.booked[0][1].amount + 1)
    moving.systems.booked[0] = ("100", other)
    compared = compare(pair, earlier)
    assert compared.differ == ["R-a (119.00 EUR): its total is 120.00 there"]
    moving.systems.booked[0] = ("100", replace(other, amount=other.amount - 1, lookup={"n": "another supplier's"}))
    assert "not found by supplier and number" in compare(pair, earlier).differ[0]
    moving.systems.faults = [("read_back", Transient("It does not show 100."))]
    assert "does not show" in compare(pair, earlier).differ[0]


def test_where_the_platform_moved_its_own_documents_are_compared(moving: Moving) -> None:
    delivered(moving, "a")
    endpoints.note(moving.pair())
    moving.scope, moving.places = "new", {**OLD, "ap": {"server": "ap2", "region": "EU"}}
    pair = moving.pair()
    (earlier,) = endpoints.note(pair)
    assert earlier.changed == ("ap",)
    assert compare(pair, earlier).agree == ["R-a (119.00 EUR)"]
    moving.systems.invoices["a"] = invoice("a", "120.00")
    assert "its amount is 120.00 there" in compare(pair, earlier).differ[0]
    moving.systems.invoices.clear()
    assert "it is not there" in compare(pair, earlier).differ[0]


def test_a_document_posted_under_both_is_named(moving: Moving) -> None:
    delivered(moving, "a")
    pair = moving.move_away()
    moving.systems.booked[0] = ("100", replace(moving.systems.booked[0][1], lookup={"n": "hidden"}))
    moving.systems.standing["a"] = "offered"
    for flow in (ACCOUNTS, INVOICES):
        moving.poll(flow)
        moving.work(0.1)
    assert len(moving.systems.booked) == 2
    moved = relocate.move(pair, "old", "ada")
    assert "posted as 100 under the earlier endpoint and as 101 under the present one" in moved.twice[0]
    assert replay(pair, INVOICES, "a", "again").what == "queued"


@pytest.mark.parametrize("there_before", [True, False])
def test_what_is_taken_up_at_the_new_address_meanwhile_is_not_written_over(
    moving: Moving, monkeypatch: pytest.MonkeyPatch, there_before: bool
) -> None:
    """A posting in doubt is carried over while the same document is offered, claimed and sent under the new address."""
    moving.systems.accounts = {"6100": account("6100")}
    moving.compare(ACCOUNTS)
    moving.systems.invoices["a"] = invoice("a")
    moving.systems.faults = [("post", OutcomeUnknown("no answer"))]
    moving.poll(INVOICES)
    moving.work()
    pair = moving.move_away()
    (earlier,) = endpoints.note(pair)
    ledger, look = pair.ledger("invoices"), Ledger.chunk
    if there_before:
        enqueue(ledger, ListedDocument("a"), run="r", in_lane="acme.erp.documents.0")
    left = [1]

    def meanwhile(of: Ledger, chunk_id: str) -> Any:
        found = look(of, chunk_id)
        if of.scope == "new" and left and left.pop():
            enqueue(ledger, ListedDocument("a"), run="r", in_lane="acme.erp.documents.0")
            attempt = claim(pair, INVOICES, "a")
            assert attempt is not None
            tasks.append(attempt)
        return found

    tasks: list[Any] = []
    monkeypatch.setattr(relocate, "refuse_busy", lambda *_: monkeypatch.setattr(Ledger, "chunk", meanwhile))
    with pytest.raises(relocate.Busy, match="taken up under the present endpoint"):
        relocate.move(pair, earlier.scope, "ada")
    monkeypatch.setattr(Ledger, "chunk", look)
    (attempt,) = tasks
    attempt.progress("sent")  # its worker still has it
    found = endpoints.ledger_of(pair, earlier.scope, "invoices").chunk("a")
    assert found is not None and found[0].step == "unknown", "what was sent is still known"


def test_what_was_sent_and_is_held_goes_on_and_not_the_offer_under_the_new_address(moving: Moving) -> None:
    """A draft that waits for approval was sent: a second one must not be made for it."""
    delivered(moving, "a")
    moving.systems.invoices["b"] = invoice("b", account="6999")
    moving.poll(INVOICES)
    moving.work(0.1)
    ledger = moving.pair().ledger("invoices")
    chunk, item = ledger.chunk("b")  # type: ignore[misc]
    assert chunk.step in {"", "held"}
    chunk.sents = [SentDocument(lookup={"n": "R-b"}, amount="119.00", currency="EUR")]
    ledger.save(chunk, item)
    pair = moving.move_away()
    endpoints.note(pair)
    moving.poll(INVOICES)
    moving.work(0.1)
    relocate.move(pair, "old", "ada")
    assert len(pair.ledger("invoices").chunk("b")[0].sents) == 1  # type: ignore[index]
