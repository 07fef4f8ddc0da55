"""Master data goes in bulk: the same again is harmless, one bad record costs only itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ml_connector import bootstrap
from ml_connector.errors import Held, Rejected
from ml_connector.records import PurchaseOrder
from tests.contract.conformance.cases import BULK_TARGETS, MASTER_TARGETS, Case, each, of
from tests.contract.conformance.delivering import (
    GOOD,
    as_bytes,
    as_request,
    confirm,
    deliver,
    rendered,
    samples,
)
from tests.contract.conformance.doing import order_line, sample
from tests.contract.conformance.stand import Stand

LARGEST = 6 * 1024 * 1024
"""Bytes of a request: no vendor takes more."""
ORDERS = of("target", "master", [PurchaseOrder])


# ── saying ──────────────────────────────────────────────────────────────────────────────────────────────────────


@each(MASTER_TARGETS)
def test_a_record_is_said_the_same_way_each_time_and_nothing_is_sent(stand: Stand, case: Case) -> None:
    first = rendered(stand, case, samples(case, 3))[1]
    stand.later(86_400)
    again = rendered(stand, case, samples(case, 3))[1]
    assert [as_bytes(one) for one in first] == [as_bytes(one) for one in again]
    assert stand.wire.seen == []


@each(MASTER_TARGETS)
def test_two_records_are_never_one_to_the_target(stand: Stand, case: Case) -> None:
    target, batch = rendered(stand, case, samples(case, 30))
    assert len({one.target_id for one in batch}) == len({as_bytes(one) for one in batch}) == 30
    assert [one.key for one in batch] == [one.key for one in samples(case, 30)]
    for one in batch:
        assert set(one.entities) <= set(target.stages) and any(one.entities.values())


@each(BULK_TARGETS)
def test_the_same_key_of_another_tenant_is_another_record(stand: Stand, case: Case) -> None:
    ours, theirs = (stand.connect(tenant=tenant).target(case.record) for tenant in ("acme", "other"))
    record = sample(case.record, 1)
    assert as_bytes(ours.render(record, stand.codes)) != as_bytes(theirs.render(record, stand.codes))


@each(BULK_TARGETS)
def test_a_code_that_is_too_long_is_refused_and_a_long_text_is_cut(stand: Stand, case: Case) -> None:
    name, text = ("number", "description") if case.record is PurchaseOrder else ("code", "name")
    code = "K" * 300
    with pytest.raises(Rejected) as caught:
        rendered(stand, case, [sample(case.record, 1, **{name: code})])
    assert code in str(caught.value), "the message names it whole"
    said = deliver(stand, case, [sample(case.record, 1, **{text: "Wörter " * 1000})])
    assert said["key-1"].outcome in GOOD


@each(MASTER_TARGETS)
@pytest.mark.parametrize("text", ["O'Brien & Söhne", 'a "b" <c> \\ /', "株式会社", "\t x \n", "\u200bé\U0001f600"])
def test_odd_letters_arrive(stand: Stand, case: Case, text: str) -> None:
    name = "description" if case.record is PurchaseOrder else "name"
    record = sample(case.record, 1, **{name: f"{text} Ltd"})
    assert deliver(stand, case, [record])["key-1"].outcome in GOOD
    target, batch = rendered(stand, case, [record])
    for stage in target.stages:
        assert target.read_back(stage, batch)["key-1"].outcome in GOOD


@each(MASTER_TARGETS)
def test_a_record_without_its_code_is_refused_with_a_reason(stand: Stand, case: Case) -> None:
    name = "number" if case.record is PurchaseOrder else "code"
    with pytest.raises(Rejected) as caught:
        rendered(stand, case, [sample(case.record, 1, **{name: "  "})])
    assert "key-1" in str(caught.value)


@each(ORDERS)
@pytest.mark.parametrize(
    ("kind", "code"), [("supplier", "K1"), ("account", "K1"), ("cost_center", "K1"), ("tax", "V2"), ("currency", "EUR")]
)
def test_an_order_whose_code_has_no_counterpart_holds(stand: Stand, case: Case, kind: str, code: str) -> None:
    stand.codes.missing.add((kind, code))
    with pytest.raises(Held) as caught:
        rendered(stand, case, samples(case, 1))
    assert caught.value.waiting_for == f"{kind}:{code}"


# ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────


@each(BULK_TARGETS)
def test_what_is_sent_is_kept_and_the_same_again_is_harmless(stand: Stand, case: Case) -> None:
    records = samples(case, 5)
    assert {v.outcome for v in deliver(stand, case, records).values()} == {"delivered"}
    kept = stand.kept(case.record)
    assert kept == {one.target_id: True for one in rendered(stand, case, records)[1]}
    stand.later(60)
    assert {v.outcome for v in deliver(stand, case, records).values()} <= GOOD
    assert stand.kept(case.record) == kept


@each(BULK_TARGETS)
def test_a_touch_is_imported_anew(stand: Stand, case: Case) -> None:
    """A replay must do something, though the target skips what it has."""
    deliver(stand, case, samples(case, 1))
    stand.later(60)
    assert deliver(stand, case, samples(case, 1), touch="2026-02-10")["key-1"].outcome == "delivered"


@each(BULK_TARGETS)
def test_a_whole_chunk_goes_in_few_calls_that_are_not_too_large(stand: Stand, case: Case) -> None:
    most, weigh = bootstrap.module(case.system).CHUNKING[case.record]
    records: list[Any] = []
    while sum(map(weigh, records)) < most:
        records.append(sample(case.record, len(records) + 1))
    said = deliver(stand, case, records)
    assert len(said) == len(records) and {v.outcome for v in said.values()} == {"delivered"}
    posts = [one for one in stand.wire.seen if one.method != "GET" and not stand.is_login(as_request(one))]
    assert len(posts) <= 15 and max(len(one.body) for one in posts) < LARGEST


@each(BULK_TARGETS)
def test_more_than_a_call_takes_is_sent_in_several(stand: Stand, case: Case) -> None:
    most, weigh = bootstrap.module(case.system).CHUNKING[case.record]
    count = 2 * most // weigh(sample(case.record, 1)) + 1
    target, batch = rendered(stand, case, samples(case, min(count, 1500)))
    sent = target.send(target.stages[0], batch)
    assert not sent.refused and len(sent.tokens) >= 2


@each(MASTER_TARGETS)
def test_nothing_is_sent_for_nothing(stand: Stand, case: Case) -> None:
    target = stand.connect().target(case.record)
    for stage in target.stages:
        sent = target.send(stage, [])
        assert (sent.tokens, dict(sent.refused)) == ((), {})
        assert target.verdicts(stage, [], ()) == {} and target.read_back(stage, []) == {}
    assert target.deactivate([]).tokens == () and stand.wire.seen == []


@each(MASTER_TARGETS)
def test_a_record_that_the_target_refuses_costs_only_itself(stand: Stand, case: Case) -> None:
    stand.connect()
    stand.sour(case.record, "key-2")
    said = deliver(stand, case, samples(case, 4))
    assert said["key-2"].outcome == "rejected" and "sour" in (said["key-2"].reason or "")
    assert {said[key].outcome for key in ("key-1", "key-3", "key-4")} == {"delivered"}


@each(BULK_TARGETS)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_record_that_is_refused_at_the_door_is_named_and_the_others_are_in(
    stand: Stand, case: Case, place: int
) -> None:
    """Some targets refuse a batch whole; what is not named as refused is in all the same."""
    target, batch = rendered(stand, case, samples(case, 4))
    stage, bad = target.stages[0], batch[place]
    entities = {**bad.entities, stage: [stand.misshape(one) for one in bad.entities[stage]]}
    sent = target.send(stage, [replace(one, entities=entities) if one is bad else one for one in batch])
    assert list(sent.refused) == [bad.key] and sent.refused[bad.key] and sent.tokens
    rest = [one for one in batch if one is not bad]
    for one in confirm(stand, lambda: target.verdicts(stage, rest, sent.tokens)).values():
        assert one.outcome in {"delivered", "held"}, "an order may wait for its supplier"
    assert {key: one.outcome for key, one in target.read_back(stage, rest).items()} == {
        one.key: "delivered" for one in rest
    }


@each(ORDERS)
def test_stages_stand_in_the_order_in_which_they_need_each_other(stand: Stand, case: Case) -> None:
    """And what comes before its parent waits for it, by name."""
    target, batch = rendered(stand, case, samples(case, 1))
    for stage in target.stages:
        sent = target.send(stage, batch)
        said = confirm(stand, lambda stage=stage, sent=sent: target.verdicts(stage, batch, sent.tokens))["key-1"]  # type: ignore[misc]
        assert (said.outcome, (said.waiting_for or "").partition(":")[0]) == ("held", "parent"), stage
    assert deliver(stand, case, samples(case, 1))["key-1"].outcome in GOOD


# ── reading back ────────────────────────────────────────────────────────────────────────────────────────────────


@each(BULK_TARGETS)
def test_read_back_tells_the_same_from_another_and_from_nothing(stand: Stand, case: Case) -> None:
    deliver(stand, case, samples(case, 2))
    text = "description" if case.record is PurchaseOrder else "name"
    target, (same, other, absent) = rendered(
        stand, case, [sample(case.record, 1), sample(case.record, 2, **{text: "Another"}), sample(case.record, 3)]
    )
    for stage in target.stages[:1]:
        said = target.read_back(stage, [same, other, absent])
        assert [said[f"key-{n}"].outcome for n in (1, 2, 3)] == ["delivered", "held", "held"]
        assert all((said[f"key-{n}"].waiting_for or "").startswith("lookup:") for n in (2, 3))
    for stage in target.stages:
        assert target.read_back(stage, [same])["key-1"].outcome == "delivered"


@each(ORDERS)
@pytest.mark.parametrize("amount", ["0.30", "12345678901234567.89", "0.01", "-5.05"])
def test_an_amount_is_sent_to_the_last_digit(stand: Stand, case: Case, amount: str) -> None:
    record = sample(case.record, 1, lines=(order_line(1, net=Decimal(amount), unit_price=None, receipts=()),))
    assert deliver(stand, case, [record])["key-1"].outcome in GOOD
    sent = [
        value
        for one in stand.wire.seen
        if one.body[:1] in {b"[", b"{"}
        for value in _numbers(json.loads(one.body, parse_float=Decimal, parse_int=Decimal))
    ]
    assert Decimal(amount) in sent


def _numbers(body: Any) -> Iterator[Decimal]:
    for value in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
        if isinstance(value, Decimal):
            yield value
        else:
            yield from _numbers(value)
