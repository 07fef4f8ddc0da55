"""What is wrong with one tenant stays with it, in every place: it is named and counted, and the others go on."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.ops import workspace as workspaces
from infra.ops.main import app
from ml_connector import bootstrap
from ml_connector.errors import Misconfigured, Transient
from ml_connector.integration_cache import IntegrationCache
from ml_connector.runs import Run
from tests.simulation import functions
from tests.unit.tenants.conftest import INTEGRATION, Site, junk_key, refusal

Spoil = Callable[[Site], None]


def _settings(text: str) -> Spoil:
    return lambda site: site.spoil("acme", "settings", text)


SECRETS: dict[str, tuple[Spoil, str]] = {
    "unreadable: binary": (lambda site: site.spoil("acme", "basware", b"\x00\xff"), "is binary"),
    "unreadable: no JSON": (lambda site: site.spoil("acme", "basware", "{no json"), "acme/basware"),
    "denied": (lambda site: site.spoil("acme", "basware", refusal("AccessDeniedException")), "refuses access"),
    "denied decrypt": (lambda site: site.spoil("acme", "basware", refusal("DecryptionFailure")), "DecryptionFailure"),
    "denied settings": (lambda site: site.spoil("acme", "settings", refusal("AccessDeniedException")), "refuses"),
    "broken setting": (_settings('{"schedules": {"invoices": "rate(never)"}}'), "cannot be read"),
    "unknown setting": (_settings('{"shaddow": true}'), "shaddow"),
}
"""Faults of a secret of acme, and a word by which a person recognises each."""
every = pytest.mark.parametrize(("spoil", "word"), SECRETS.values(), ids=SECRETS)


def counted(out: str) -> list[str]:
    """Whose faults the metric counts; it has the stack as its only dimension."""
    found = []
    for line in out.splitlines():
        said: Any = json.loads(line) if line.startswith("{") else {}
        if "TenantFaults" in said:
            (told,) = said["_aws"]["CloudWatchMetrics"]
            assert told["Dimensions"] == [["stack"]]
            assert said["stack"] == "stack" and told["Namespace"] and said["TenantFaults"] == 1
            found.append(said["tenant"])
    return found


def listed(site: Site, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the command `tenants` says of each tenant."""
    monkeypatch.setattr(workspaces, "open_workspace", lambda *_: site.workspace())
    ran = CliRunner().invoke(app, ["tenants", "--stack", "stack", "--json"])
    assert ran.exit_code == 0, ran.output
    return {row["tenant"]: row for row in json.loads(ran.output)}


# ── the registry ────────────────────────────────────────────────────────────────────────────────────────────────


@every
def test_enrolment_names_and_counts_a_tenant_with_a_fault_and_goes_on(
    site: Site, spoil: Spoil, word: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    spoil(site)
    with caplog.at_level(logging.WARNING):
        site.function("enroll").handler({"registry": True}, functions.CONTEXT)
    rows = site.enroll()
    assert word in str(rows["acme"].problem) and not rows["acme"].pairs
    assert rows["beta"].problem is None and list(rows["beta"].pairs) == [INTEGRATION]
    assert site.runtime.store.get("schedule#beta", "basware") is not None
    assert counted(capsys.readouterr().out) == ["acme"]
    assert "acme: unusable secrets" in caplog.text and "beta" not in caplog.text


@pytest.mark.parametrize(
    "fields", [{"options": "{damaged"}, {"webhook": "junk"}, {"pairs": 7}, {"owns": 3}, {"name": "beta"}]
)
def test_a_damaged_row_is_written_again_and_stops_no_other(site: Site, fields: dict[str, Any]) -> None:
    site.enroll()
    site.damage("acme", **fields)
    assert [row.problem for row in site.enroll().values()] == [None, None]
    assert site.notify("acme") == site.notify("beta") == 200


def test_a_damaged_timetable_is_planned_anew_and_stops_no_tick(site: Site) -> None:
    site.enroll()
    item = site.runtime.store.get("schedule#acme", "basware")
    assert item is not None
    for damaged in (7, None, {"sap_b1-basware/invoices": 5}):
        item = site.runtime.store.put(bootstrap.replace(item, data={"flows": damaged}))
        site.due()
        handler: Any = site.function("poll")
        asked: list[str] = []
        handler.send = lambda some, asked=asked: asked.extend(tenant for tenant, _ in some)
        handler.handler({}, functions.CONTEXT)
        assert "beta" in asked or site.run("beta").failures == []
        site.run("acme")
        item = site.runtime.store.get("schedule#acme", "basware")
        assert item is not None and set(item.data["flows"]) == {"sap_b1-basware/invoices"}


def test_a_fault_of_ours_over_one_tenants_words_stops_no_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    real = bootstrap._pair

    def breaks(runtime: Any, tools: Any, tenant: Any, *more: Any) -> Any:
        if tenant.name == "acme":
            raise ZeroDivisionError
        return real(runtime, tools, tenant, *more)

    monkeypatch.setattr(bootstrap, "_pair", breaks)
    rows = site.enroll()
    assert "ZeroDivisionError" in str(rows["acme"].problem) and rows["beta"].pairs


def test_a_secret_that_cannot_be_read_just_now_leaves_its_tenant_as_it_was(site: Site) -> None:
    before = site.enroll()["acme"]
    site.spoil("acme", "basware", refusal("ThrottlingException"))
    site.write("beta", "settings", paused=True)
    rows = site.enroll()
    assert "tried again" in str(rows["acme"].problem) and rows["acme"].pairs == before.pairs
    assert rows["beta"].pairs[INTEGRATION].active == []
    assert site.notify("acme") == 200
    kept = site.runtime.store.get("tenants", "acme")
    assert kept is not None and kept.data["problem"] is None


def test_while_a_tenants_secret_cannot_be_read_no_other_takes_its_company_over(site: Site) -> None:
    site.enroll()
    mine = json.loads(site.manager.texts["ml-connector/acme/basware"])
    site.write("beta", "basware", **mine)
    site.spoil("acme", "basware", refusal("ThrottlingException"))
    rows = site.enroll()
    assert rows["acme"].pairs and not rows["beta"].pairs
    assert "acme has company 1000" in str(rows["beta"].problem)


# ── the poll ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("spoil", "word"), list(SECRETS.values())[:4], ids=list(SECRETS)[:4])
def test_a_poll_that_meets_the_fault_first_fails_that_flow_alone(
    site: Site, spoil: Spoil, word: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    site.enroll()
    spoil(site)
    site.due()
    site.asked.clear()
    with caplog.at_level(logging.WARNING, "ml_connector"):
        assert site.run("acme").failures == ["acme/invoices"]
        assert site.run("beta").failures == []
    assert word in str(next(r.__dict__["reason"] for r in caplog.records if "reason" in r.__dict__))
    assert ("acme", "basware") not in site.asked and ("beta", "basware") in site.asked
    site.due()
    site.clock.sleep(600)
    assert [site.polls(name) for name in ("acme", "beta")] == [{"batchItemFailures": []}] * 2
    assert counted(capsys.readouterr().out) == ["acme"]


def test_a_poll_of_a_tenant_with_a_damaged_row_fails_no_message(site: Site) -> None:
    site.enroll()
    site.damage("acme", options='{"paused": "perhaps"}')
    site.due()
    run = site.run("acme")
    assert run.failures == ["acme/every flow"] and run.faults == 1
    assert site.run("beta").failures == []


def test_a_function_never_fails_for_one_message(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message comes back. After a failed invocation Lambda reads the queue more slowly, and all would wait."""

    def breaks(*_: Any) -> Any:
        raise ZeroDivisionError

    site.enroll()
    monkeypatch.setattr(Run, "of", breaks)
    monkeypatch.setattr(IntegrationCache, "lent", breaks)
    queued = {"v": 1, "id": "x", "tenant": "acme", "integration": INTEGRATION, "flow": "invoices", "scope": "s"}
    failed = {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert site.polls("acme") == failed
    assert site.writes(queued) == [failed]


# ── webhooks ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_damaged_webhook_key_refuses_its_tenants_notifications_alone(site: Site) -> None:
    site.enroll()
    junk_key(site, "acme")
    faulty: list[str] = []
    door = site.door(faulty.append)
    assert [site.notify(name, door) for name in ("acme", "beta")] == [401, 200]
    assert faulty == ["acme"]
    site.enroll()
    assert site.notify("acme") == 200


def test_a_denied_decrypt_of_a_webhook_key_is_counted_by_the_function(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.enroll()
    site.vault.denied = {"webhook#acme": Misconfigured("AWS refuses access to the KMS key.")}
    module = site.function("basware_webhook")
    door = site.door(module.receiver.faulty)
    assert [site.notify(name, door) for name in ("acme", "beta")] == [401, 200]
    assert [json.loads(line)["tenant"] for line in capsys.readouterr().out.splitlines() if "TenantF" in line] == [
        "acme"
    ]


@every
def test_a_fault_of_a_secret_lets_notifications_of_others_in(site: Site, spoil: Spoil, word: str) -> None:
    site.enroll()
    spoil(site)
    site.enroll()
    assert site.notify("beta") == 200
    assert site.notify("acme") in {200, 401}


# ── the writer ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def rung(site: Site) -> dict[str, list[Any]]:
    """Invoices of both tenants on their way; acme has settings of its own."""
    site.write("acme", "settings", rounding_tolerance="0.01")
    site.enroll()
    site.due()
    for name in ("acme", "beta"):
        site.run(name)
    return site.queue()


@every
def test_a_writer_that_meets_the_fault_writes_it_on_the_row_and_goes_on(
    site: Site, rung: dict[str, list[Any]], spoil: Spoil, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(site)
    answers = site.writes(rung["acme"][0], rung["beta"][0])
    assert answers == [{"batchItemFailures": []}] * 2
    chunk = site.chunk(rung["acme"][0])
    assert word in str(chunk.reason) and (chunk.state, chunk.cause, chunk.attempts) == ("waiting", "setup", 0)
    assert str(chunk.due_at) > site.clock.now().isoformat()
    other = site.chunk(rung["beta"][0])
    assert other.cause is None and other.attempts == 1
    assert counted(capsys.readouterr().out) == ["acme"]


def test_once_the_secret_is_mended_the_writer_goes_on(site: Site, rung: dict[str, list[Any]]) -> None:
    good = site.manager.texts["ml-connector/acme/basware"]
    site.spoil("acme", "basware", refusal("AccessDeniedException"))
    site.writes(rung["acme"][0])
    site.spoil("acme", "basware", good)
    site.writes(rung["acme"][0])
    assert site.chunk(rung["acme"][0]).attempts == 0, "not before it is due"
    site.clock.sleep(901)
    site.writes(rung["acme"][0])
    assert site.chunk(rung["acme"][0]).attempts == 1


def test_a_secret_that_cannot_be_read_just_now_costs_the_writer_half_a_minute(
    site: Site, rung: dict[str, list[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Not the queue's visibility timeout, for which the lane would stand still."""
    site.spoil("acme", "basware", refusal("ThrottlingException"))
    assert site.writes(rung["acme"][0]) == [{"batchItemFailures": []}]
    chunk = site.chunk(rung["acme"][0])
    assert chunk.cause is None and "tried again" in str(chunk.reason)
    assert chunk.due_at is not None and chunk.due_at < site.clock.now().replace(minute=59).isoformat()
    assert counted(capsys.readouterr().out) == []


def test_a_tenant_that_ended_is_no_fault(
    site: Site, rung: dict[str, list[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    for system in ("basware", "sap_b1"):
        del site.manager.texts[f"ml-connector/acme/{system}"]
    for _ in range(2):  # it is missed at two times
        site.enroll()
        site.clock.sleep(300)
    site.writes(rung["acme"][0])
    assert site.chunk(rung["acme"][0]).reason is None
    assert counted(capsys.readouterr().out) == []


def test_a_dead_letter_that_comes_back_opens_its_row_although_the_secret_is_denied(
    site: Site, rung: dict[str, list[Any]]
) -> None:
    message = rung["acme"][0]
    pk = f"f#acme#{INTEGRATION}#{message['flow']}#{message['scope']}"
    item = site.runtime.store.get(pk, f"c#{message['id']}")
    assert item is not None
    data = {**item.data, "state": "failed", "death": 1, "cause": "exhausted"}
    site.runtime.store.put(bootstrap.replace(item, data=data))
    site.spoil("acme", "basware", refusal("AccessDeniedException"))
    site.writes({**message, "cause": "exhausted", "death": 1})
    chunk = site.chunk(message)
    assert (chunk.state, chunk.cause) == ("waiting", "setup") and "refuses access" in str(chunk.reason)


# ── the command line ────────────────────────────────────────────────────────────────────────────────────────────


@every
def test_the_command_tenants_names_the_fault_beside_the_healthy_tenant(
    site: Site, spoil: Spoil, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.enroll()
    spoil(site)
    rows = listed(site, monkeypatch)
    assert word in rows["acme"]["problem"] and rows["beta"]["problem"] is None


@pytest.mark.parametrize("why", ["damaged", "denied"])
def test_the_command_tenants_names_webhook_keys_that_do_not_open(
    site: Site, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.enroll()
    if why == "damaged":
        junk_key(site, "acme")
    else:
        site.vault.denied = {"webhook#acme": Misconfigured("AWS refuses access to the KMS key.")}
    rows = listed(site, monkeypatch)
    assert "webhook keys of acme cannot be opened" in rows["acme"]["problem"] and rows["beta"]["problem"] is None


def test_the_command_tenants_names_what_only_the_functions_are_denied(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = site.manager.texts["ml-connector/acme/basware"]
    site.spoil("acme", "basware", refusal("AccessDeniedException"))
    site.enroll()
    site.spoil("acme", "basware", good)
    rows = listed(site, monkeypatch)
    assert "The functions saw" in rows["acme"]["problem"] and "refuses access" in rows["acme"]["problem"]


def test_the_command_tenants_lists_all_while_one_secret_is_throttled(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.enroll()
    site.spoil("acme", "basware", refusal("ThrottlingException"))
    rows = listed(site, monkeypatch)
    assert "tried again later" in rows["acme"]["problem"] and rows["beta"]["problem"] is None


def test_one_tenants_unread_secret_is_transient_for_the_writer(site: Site) -> None:
    site.enroll()
    site.spoil("acme", "basware", refusal("ThrottlingException"))
    (table,) = [i for i in bootstrap.INTEGRATIONS if i.name == INTEGRATION]
    with pytest.raises(Transient):
        bootstrap.complete_integration(site.runtime, site.secrets(), site.tools, "acme", table)
