"""Settings that shape what is sent may change while a chunk is under way: what went out under old ones goes again."""

from unittest.mock import patch

from ml_connector.engine.ledger import fingerprint
from ml_connector.engine.poll.run import Poll
from ml_connector.engine.write.worker import write
from ml_connector.errors import Transient
from tests.unit.engine.bench import ACCOUNTS, Bench, account


def _poll(bench: Bench, epoch: str) -> None:
    pair = bench.pair()
    pair.epoch = epoch
    bench.runs += 1
    Poll(pair, ACCOUNTS, f"run{bench.runs}").read()


def _write(bench: Bench, epoch: str) -> None:
    pair = bench.pair()
    pair.epoch = epoch
    while (queued := bench.queue.take()) is not None:
        write(pair, ACCOUNTS, queued.message["id"])
        bench.queue.done(queued)


def test_a_body_of_former_settings_does_not_count_as_one_of_the_present(bench: Bench) -> None:
    bench.systems.accounts = {"A1": account("A1")}
    bench.systems.faults = [("verdict", Transient("not yet"))]
    _poll(bench, "german")
    _write(bench, "german")
    assert bench.systems.sends == [["A1"]]  # it is with the target, which has not judged it
    bench.clock.sleep(7200)
    bench.work()  # the verdict comes under the settings of the bench, which are others
    _poll(bench, "e")
    bench.work(hours=0.1)
    assert bench.systems.sends == [["A1"], ["A1"]]
    _poll(bench, "e")
    bench.work(hours=0.1)
    assert len(bench.systems.sends) == 2  # now it is as it should be


def test_what_is_on_its_way_under_former_settings_goes_again(bench: Bench) -> None:
    bench.systems.accounts = {"A1": account("A1")}
    bench.systems.faults = [("verdict", Transient("not yet"))]
    _poll(bench, "german")
    _write(bench, "german")
    _poll(bench, "e")
    bench.work(hours=1)
    assert bench.systems.sends == [["A1"], ["A1"]]


def test_a_rebaseline_holds_for_the_settings_that_it_was_decided_under(bench: Bench) -> None:
    bench.systems.accounts = {"A1": account("A1")}
    _poll(bench, "german")
    _write(bench, "german")
    bench.work()
    _poll(bench, "german")
    assert bench.systems.sends == [["A1"]]

    release = patch.object(fingerprint, "VERSION", "2"), patch.dict(fingerprint.FORMER, {"1": fingerprint.written})
    with release[0], release[1]:
        _poll(bench, "german")
        bench.work(hours=0.1)  # under the settings of the bench
        assert bench.systems.sends == [["A1"]]
        _poll(bench, "e")
        bench.work(hours=0.1)
    assert bench.systems.sends == [["A1"], ["A1"]]
