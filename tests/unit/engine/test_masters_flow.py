"""Masters: from pages to settled rows."""

import msgspec
import pytest

from ml_connector.engine.ledger.codes import Asked
from ml_connector.engine.ledger.mappings import Mapping
from ml_connector.engine.replay import reopen
from ml_connector.errors import LoginRefused, Transient, Unexplained, Unreachable
from ml_connector.flow import Broken, Verdict
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Accounts, Killed, account, invoice


def test_what_is_read_is_delivered_and_a_second_run_sends_nothing(bench):
    bench.systems.accounts = {k: account(k) for k in "abcdefgh"}
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    assert bench.counts(ACCOUNTS) == {"delivered": 8}
    sends = len(bench.systems.sends)
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    assert len(bench.systems.sends) == sends
    assert bench.sheet(ACCOUNTS).counts["unchanged"] == 8


def test_a_changed_record_alone_is_sent_again(bench):
    bench.systems.accounts = {k: account(k) for k in "abc"}
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    bench.systems.accounts["b"] = account("b", "Hotels")
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    assert bench.systems.sends[-1] == ["b"]
    assert bench.systems.taken["b"].name == "Hotels"


def test_one_bad_record_is_rejected_and_the_others_arrive(bench):
    bench.systems.accounts = {"a": account("a"), "b": account("b", "wrong"), "c": account("c")}
    bench.systems.broken = [Broken("d", "It has no code.", "{}")]
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    assert bench.counts(ACCOUNTS) == {"delivered": 2, "rejected": 2}
    assert {r["key"] for r in bench.sheet(ACCOUNTS).rejected} == {"b", "d"}


def test_a_rejected_record_is_reported_again_and_not_sent_again(bench):
    bench.systems.accounts = {"b": account("b", "wrong")}
    bench.systems.broken = [Broken("d", "It has no code.", "{}")]
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    bench.poll(ACCOUNTS)
    ledger = bench.pair().ledger("accounts")
    assert ledger.cursor()[0].figures.rejected == 2
    assert not list(ledger.unfinished())


def test_a_record_that_spoils_its_chunk_is_found_by_halving(bench):
    bench.systems.accounts = {k: account(k) for k in "abc"} | {"p": account("p", "poison")}
    bench.poll(ACCOUNTS)
    bench.work(0.2)
    assert bench.counts(ACCOUNTS) == {"delivered": 3, "rejected": 1}


def test_what_a_trouble_of_the_target_refuses_alone_is_held_and_given_up_after_a_day(bench):
    bench.systems.accounts = {"d": account("d")}
    bench.systems.faults = [("send", Unexplained("An unexpected error."))] * 40
    bench.poll(ACCOUNTS)
    bench.work(1)
    assert [line["waiting_for"] for line in bench.sheet(ACCOUNTS).held] == ["lookup:d"]
    bench.work(40)
    assert [dead["cause"] for dead in bench.sheet(ACCOUNTS).failed] == ["exhausted"]


def test_a_trouble_that_passes_within_a_minute_leaves_a_chunk_in_one_piece(bench):
    bench.systems.accounts = {k: account(k) for k in "abc"}
    bench.systems.faults = [("send", Unexplained("An unexpected error."))] * 4
    bench.poll(ACCOUNTS)
    bench.work(1)
    assert bench.counts(ACCOUNTS) == {"delivered": 3}
    assert [len(keys) for keys in bench.systems.sends] == [3] * 5


def test_a_trouble_that_one_record_brings_about_holds_neither_the_others_nor_documents(bench):
    bench.systems.accounts = {k: account(k) for k in "abc"} | {"x": account("x", "trouble")}
    bench.poll(ACCOUNTS)
    bench.systems.invoices = {"i": invoice("i", account="a")}
    bench.poll(INVOICES)
    bench.work(1)
    assert bench.counts(ACCOUNTS) == {"delivered": 3, "held": 1}
    assert bench.counts(INVOICES) == {"delivered": 1}


def test_a_held_record_waits_in_a_chunk_of_its_own_and_goes_on_when_it_can(bench):
    bench.systems.accounts = {"a": account("a"), "w": account("w", "waits"), "c": account("c")}
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    assert bench.counts(ACCOUNTS) == {"delivered": 2, "held": 1}
    assert bench.sheet(ACCOUNTS).held[0]["waiting_for"] == "cost_center:CC1"
    bench.pair().mappings.set(Mapping(integration="erp-ap", kind="cost_center", code="CC1", target="X"))
    bench.work(2)
    assert bench.counts(ACCOUNTS) == {"delivered": 3}


def test_a_newer_version_overtakes_one_that_still_waits(bench):
    bench.systems.accounts = {"w": account("w", "waits")}
    bench.poll(ACCOUNTS)
    bench.work(0.01)
    bench.systems.accounts = {"w": account("w", "free")}
    bench.poll(ACCOUNTS)
    bench.work(2)
    assert bench.systems.taken["w"].name == "free"
    assert bench.counts(ACCOUNTS) == {"delivered": 1, "unchanged": 1}


def test_passing_trouble_delays_and_loses_nothing(bench):
    bench.systems.accounts = {"a": account("a")}
    bench.systems.faults = [
        ("send", Transient("later")),
        ("send", Unreachable("away")),
        ("verdict", Transient("later")),
    ]
    bench.poll(ACCOUNTS)
    bench.work(1)
    assert bench.counts(ACCOUNTS) == {"delivered": 1}


def test_after_a_refused_login_nothing_is_tried_again(bench):
    bench.systems.accounts = {"a": account("a")}
    bench.pair().breakers["ap"].login_refused("The password is wrong.")
    bench.poll(ACCOUNTS)
    bench.work(5)
    assert bench.systems.sends == []
    assert bench.counts(ACCOUNTS) == {"pending": 1}
    with pytest.raises(LoginRefused, match="until the secret is changed"):
        bench.pair().breakers["ap"].check()


def test_the_position_moves_after_the_chunks_are_written(bench):
    bench.systems.accounts = {k: account(k) for k in "abcdef"}
    bench.systems.faults = [("read", Killed())]
    with pytest.raises(Killed):
        bench.poll(ACCOUNTS)
    bench.systems.faults = []
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    assert set(bench.systems.taken) == set("abcdef")
    assert sorted(k for keys in bench.systems.sends for k in keys) == list("abcdef")


def test_a_kill_between_chunk_and_position_reads_again_and_doubles_nothing(bench, monkeypatch):
    bench.systems.accounts = {k: account(k) for k in "abc"}
    queued = bench.queue.notify_many
    monkeypatch.setattr(bench.queue, "notify_many", lambda *a: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        bench.poll(ACCOUNTS)
    monkeypatch.setattr(bench.queue, "notify_many", queued)
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    assert bench.counts(ACCOUNTS) == {"delivered": 3}
    assert sum(len(keys) for keys in bench.systems.sends) == 3


def test_every_queue_may_be_deleted_at_any_moment(bench):
    bench.systems.accounts = {k: account(k) for k in "abc"}
    bench.systems.invoices = {"i": invoice("i", account="a")}
    bench.poll(ACCOUNTS)
    bench.poll(INVOICES)
    while (queued := bench.queue.take()) is not None:
        bench.queue.done(queued)
    bench.work(3)
    assert bench.counts(ACCOUNTS) == {"delivered": 3}
    assert len(bench.systems.booked) == 1


def test_why_a_source_could_not_be_read_stands_with_the_figures_until_it_can(bench):
    bench.systems.accounts = {"a": account("a")}
    bench.systems.faults = [("read", Transient("It answers with a page of HTML."))]
    with pytest.raises(Transient):
        bench.poll(ACCOUNTS)
    ledger = bench.pair().ledger("accounts")
    assert ledger.cursor()[0].figures.error == "It answers with a page of HTML."
    bench.poll(ACCOUNTS)
    assert ledger.cursor()[0].figures.error is None


def test_a_chunk_given_up_at_its_settle_still_knows_its_codes(bench):
    """All is decided, and the workers died while rows were written: documents must find the records all the same."""
    codes = {"A1": "6100", "A2": "6200"}
    bench.systems.accounts = {k: msgspec.structs.replace(account(k), code=code) for k, code in codes.items()}
    bench.poll(ACCOUNTS)
    ledger = bench.pair().ledger("accounts")
    ((chunk, item),) = [ledger.chunk(c.id) for c in ledger.unfinished()]
    chunk.results, chunk.crashes = dict.fromkeys(codes, ("delivered", "")), bench.runtime.crash_limit
    ledger.save(chunk, item)
    bench.work(0.1)
    assert {k: row.code for k, (row, _) in ledger.rows(list(codes)).items()} == codes
    assert ledger.alias("6200") == "A2"


def test_a_record_that_kills_its_workers_is_dead_and_not_refused_once_it_stands_alone(bench):
    """Others of its chunk are decided; a person hears of it, and the same goes again when it is opened."""
    bench.systems.accounts = {k: account(k) for k in ("A1", "A2")}
    bench.poll(ACCOUNTS)
    ledger = bench.pair().ledger("accounts")
    ((chunk, item),) = [ledger.chunk(c.id) for c in ledger.unfinished()]
    chunk.results, chunk.crashes = {"A1": ("unchanged", "")}, bench.runtime.crash_limit
    ledger.save(chunk, item)
    bench.work(0.1)
    ((chunk, _),) = [ledger.chunk(c.id) for c in ledger.unfinished()]
    assert (chunk.state, chunk.cause) == ("failed", "crashed")
    reopen(ledger, chunk.id, "somebody did")
    bench.work(0.1)
    assert list(ledger.unfinished()) == [] and "A2" in bench.systems.taken


def test_what_the_target_has_finished_is_settled_though_it_is_still_at_another(bench, monkeypatch):
    """Its documents go on; the rest is asked about under the same request, and nothing is sent again."""
    still, asked = {"b"}, []

    def verdicts(self, stage, batch, tokens):
        asked.append(([r.key for r in batch], tokens))
        return {r.key: Verdict("delivered") for r in batch if r.key not in still} or None

    monkeypatch.setattr(Accounts, "verdicts", verdicts)
    bench.systems.accounts = {"a": account("a"), "b": account("b"), "6100": account("6100")}
    bench.systems.invoices = {"one": invoice("one"), "two": invoice("two", account="b")}
    bench.poll(ACCOUNTS)
    bench.poll(INVOICES)
    bench.work(0.2)
    assert bench.counts(ACCOUNTS) == {"delivered": 2, "pending": 1}
    assert [key for key, _ in bench.systems.answers] == ["one"]
    still.clear()
    bench.work(1)
    assert bench.counts(ACCOUNTS) == {"delivered": 3} and asked[-1] == (["b"], ["token"])
    assert bench.systems.sends == [["a", "b", "6100"]] and {key for key, _ in bench.systems.answers} == {"one", "two"}


def test_a_look_up_that_finds_nothing_new_says_no_record_again(bench, monkeypatch):
    """Each chunk is asked about many times: its records are said for the sending, and once more for the verdict."""
    said, answers = [], [None, None, None, "delivered"]
    render = Accounts.render

    def counted(self, record, codes, touch=None):
        if not isinstance(codes, Asked):
            said.append(record.key)
        return render(self, record, codes, touch)

    def verdicts(self, stage, batch, tokens):
        outcome = answers.pop(0)
        return None if outcome is None else {r.key: Verdict(outcome) for r in batch}

    monkeypatch.setattr(Accounts, "render", counted)
    monkeypatch.setattr(Accounts, "verdicts", verdicts)
    bench.systems.accounts = {"a": account("a"), "b": account("b")}
    bench.poll(ACCOUNTS)
    bench.work(1)
    assert answers == [] and bench.counts(ACCOUNTS) == {"delivered": 2}
    assert said == ["a", "b", "a", "b"]
