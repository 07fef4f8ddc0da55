"""Deletions that the target refuses, that broke off half-way, or that wait for a person."""

from datetime import timedelta
from itertools import pairwise

import pytest
from msgspec import structs

from ml_connector import http_log
from ml_connector.engine.write.worker import write
from ml_connector.errors import Rejected, Transient
from ml_connector.flow import Sent
from ml_connector.http_log import Exchange
from tests.unit.engine.bench import ACCOUNTS, Accounts, account


@pytest.fixture
def slow(bench, monkeypatch):
    """A target that may carry out a request a quarter of an hour after it broke off; it has the records a and b."""
    pair = bench.pair

    def settling():
        made = pair()
        made.in_doubt_seconds = {"ap": 900, "erp": 900}
        return made

    monkeypatch.setattr(bench, "pair", settling)
    bench.systems.accounts = {"a": account("a"), "b": account("b")}
    bench.poll(ACCOUNTS)
    bench.work(0.2)
    return bench


def _breaks_off():
    http_log.note(Exchange(at="", method="POST", url="", request_headers={}, error="ReadTimeout"))


def _write_next(bench):
    """Attempt the chunk that was queued; its ring is gone then."""
    queued = bench.queue.take()
    bench.queue.done(queued)
    return write(bench.pair(), ACCOUNTS, queued.message["id"])


def _retire_in_doubt(bench, monkeypatch):
    """Let the switching off of a break off; gives its chunk."""

    def deactivate(source, keys):
        _breaks_off()
        raise Transient("The connection broke.")

    with monkeypatch.context() as patch:
        patch.setattr(Accounts, "deactivate", deactivate)
        bench.poll(ACCOUNTS, full=True)
        return _write_next(bench)


def test_a_record_that_is_back_waits_until_its_switching_off_is_surely_over(slow, monkeypatch):
    del slow.systems.accounts["a"]
    chunk = _retire_in_doubt(slow, monkeypatch)
    assert chunk.op == "retire" and chunk.doubt
    slow.systems.accounts["a"] = account("a", "Back")
    slow.clock.sleep(30)
    slow.poll(ACCOUNTS)
    sent = _write_next(slow)
    assert (sent.op, sent.state) == ("send", "waiting")
    assert "may still take effect" in sent.reason
    slow.work(0.5)
    assert slow.systems.taken["a"].name == "Back"
    assert slow.systems.deactivated == []


def test_a_switching_off_that_was_done_after_all_still_delays_what_follows(slow, monkeypatch):
    del slow.systems.accounts["a"]
    _retire_in_doubt(slow, monkeypatch)
    slow.work(0.02)  # done at the second attempt; the first may yet be carried out
    assert slow.systems.deactivated == ["a"]
    slow.systems.accounts["a"] = account("a", "Back")
    slow.poll(ACCOUNTS)
    sent = _write_next(slow)
    assert (sent.op, sent.state) == ("send", "waiting")
    slow.work(0.5)
    assert slow.systems.taken["a"].name == "Back"


def test_a_switching_off_waits_for_a_send_in_doubt(slow, monkeypatch):
    send = Accounts.send

    def breaks_off(target, stage, batch):
        _breaks_off()
        return send(target, stage, batch)

    slow.systems.accounts["a"] = account("a", "Changed")
    with monkeypatch.context() as patch:
        patch.setattr(Accounts, "send", breaks_off)
        slow.poll(ACCOUNTS)
        chunk = _write_next(slow)
    slow.clock.sleep(5)
    assert write(slow.pair(), ACCOUNTS, chunk.id).state == "done"
    del slow.systems.accounts["a"]
    slow.poll(ACCOUNTS, full=True)
    waits = _write_next(slow)
    assert (waits.op, waits.state) == ("retire", "waiting")
    assert slow.systems.deactivated == []
    slow.work(0.5)
    assert slow.systems.deactivated == ["a"]


@pytest.fixture
def calls(monkeypatch):
    """The calls that switch records off, at a target that refuses each one with `c` in it as a whole."""
    made = []

    def deactivate(target, keys):
        made.append(list(keys))
        if "c" in keys:
            raise Rejected("It is in use.")
        target.s.deactivated += keys
        return Sent(("off",))

    monkeypatch.setattr(Accounts, "deactivate", deactivate)
    return made


def test_a_refused_switching_off_is_halved_until_the_record_that_does_it_stands_alone(bench, calls):
    bench.systems.accounts = {k: account(k) for k in "abcdefghi"}
    bench.compare(ACCOUNTS)
    for key in "abc":
        del bench.systems.accounts[key]
    bench.compare(ACCOUNTS)
    assert sorted(calls) == [["a"], ["a", "b", "c"], ["b"], ["b", "c"], ["c"]]
    assert bench.systems.deactivated == ["a", "b"]
    assert bench.sheet(ACCOUNTS).rejected == [{"key": "c", "reason": "It is in use."}]
    assert bench.sheet(ACCOUNTS).reconciled
    calls.clear()
    bench.compare(ACCOUNTS)
    assert calls == [["c"]]  # the next night tries it again, and nothing else


@pytest.mark.parametrize(
    ("codes", "off"), [({"a": "A"}, ["b"]), ({"c": "b"}, ["a"]), ({"a": "b"}, ["b"]), ({"a": "c", "d": "b"}, [])]
)
def test_a_code_that_is_mapped_to_or_that_another_record_has_stays_active(bench, monkeypatch, codes, off):
    """`codes`: under which the target has a record, where it is not its own."""
    monkeypatch.setattr(Accounts, "own_code", lambda self, key: key, raising=False)
    bench.systems.accounts = {
        key: structs.replace(account(key), code=codes.get(key, key)) for key in ("a", "b", "c", "d", "e", "f", "g")
    }
    bench.compare(ACCOUNTS)
    for key in ("a", "b"):
        del bench.systems.accounts[key]
    bench.compare(ACCOUNTS)
    assert bench.systems.deactivated == off
    assert bench.sheet(ACCOUNTS).reconciled
    bench.compare(ACCOUNTS)
    assert bench.systems.deactivated == off  # and it is not looked at each night again


def test_deletions_that_wait_for_a_person_ask_the_source_once_a_day(bench, monkeypatch):
    bench.systems.accounts = {f"k{n:02d}": account(f"k{n:02d}") for n in range(40)}
    bench.compare(ACCOUNTS)
    bench.systems.accounts = {}
    reread, asked = Accounts.reread, []

    def noted(source, keys):
        asked.append(bench.clock.now())
        return reread(source, keys)

    monkeypatch.setattr(Accounts, "reread", noted)
    bench.compare(ACCOUNTS)
    bench.work(73)
    assert len(asked) == 4
    assert min(b - a for a, b in pairwise(asked)) >= timedelta(days=1)
    assert bench.sheet(ACCOUNTS).held[0]["waiting_for"] == "approval:accounts"
    assert bench.systems.deactivated == []
