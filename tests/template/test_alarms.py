"""Each alarm of the template goes off where it should and is quiet where it should be.

The real handlers say what CloudWatch would hear (`operating.py`), and `cloudwatch.py` evaluates as CloudWatch does. For
each alarm there is a failing case in `FAILING`; a test asks that none is forgotten. Everything is asked of one tenant
of one, of one of five and of two of thirty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from ml_connector.errors import LoginRefused, Transient
from ml_connector.systems.kit.signed_tokens import minted
from tests.template.cloudwatch import BEYOND, Point, states
from tests.template.loading import ROOT, transformed
from tests.template.operating import BEGIN, ERPS, SYSTEMS, Operating, operating

RESOURCES = transformed()["Resources"]
ALARMS = {name: r["Properties"] for name, r in RESOURCES.items() if r["Type"] == "AWS::CloudWatch::Alarm"}
SIZES = [(1, 1), (1, 5), (2, 30)]
"""How many tenants have the trouble, of how many."""
QUEUES = {"RecordsQueue": "records", "RecordsDlq": "records-dlq"} | {
    f"Runs{kind}{logical}": f"runs-{system}{suffix}"
    for system, logical in SYSTEMS.items()
    for kind, suffix in (("Queue", ""), ("Dlq", "-dlq"))
}


def base(alarm: str) -> str:
    """An alarm's name without its system."""
    return re.sub(f"({'|'.join(SYSTEMS.values())})$", "", alarm)


def of_system(alarm: str) -> str:
    return next((system for system, logical in SYSTEMS.items() if alarm.endswith(logical)), "")


def dimensions(alarm: dict[str, Any]) -> frozenset[tuple[str, str]]:
    """What an alarm looks at, with the names that the functions and queues of `operating` have."""

    def value(given: Any) -> str:
        match given:
            case {"Ref": "AWS::StackName"}:
                return "dev"
            case {"Ref": str(name)}:
                return name
            case {"Fn::GetAtt": [str(name), "QueueName"]}:
                return QUEUES[name]
        return str(given)

    return frozenset((one["Name"], value(one["Value"])) for one in alarm["Dimensions"])


def seen(name: str, points: list[Point]) -> list[Point]:
    """The points of an alarm's metric."""
    alarm, where = ALARMS[name], dimensions(ALARMS[name])
    wanted = (alarm["Namespace"], alarm["MetricName"], where)
    return [point for point in points if (point.namespace, point.metric, point.dimensions) == wanted]


def is_on(name: str, stack: Operating) -> set[bool]:
    """Whether an alarm is on, for each length of the evaluation range that AWS may use.

    What tells of events: at any minute. Gauges and counts of calls: now, since they are missing while time is skipped.
    """
    since = stack.clock.now() if ALARMS[name]["TreatMissingData"] == "breaching" else BEGIN
    return {"ALARM" in told for told in _told(name, stack, since)}


def _told(name: str, stack: Operating, since: datetime) -> Iterator[set[str]]:
    points, now = seen(name, stack.points), stack.clock.now()
    return ({what for _, what in states(ALARMS[name], points, since, now, beyond)} for beyond in BEYOND)


# ── the failing cases ────────────────────────────────────────────────────────────────────────────────────────


def login_refused_to_the_poll(stack: Operating, sick: list[str]) -> None:
    stack.broken = {name: LoginRefused("The login was refused.") for name in sick}
    stack.minutes(45)


def flow_fails(stack: Operating, sick: list[str]) -> None:
    stack.broken = {name: Transient("The server answers with HTML.") for name in sick}
    stack.minutes(45)


def flow_fails_for_hours(stack: Operating, sick: list[str]) -> None:
    stack.broken = {name: Transient("The server answers with HTML.") for name in sick}
    stack.minutes(5)
    stack.jump(hours=3, minutes=10)
    stack.minutes(20)


def runs_are_not_made(stack: Operating, sick: list[str]) -> None:
    stack.minutes(5)
    stack.stopped = {"runs"} if sick else set()  # the mapping of a queue is switched off: that concerns all tenants
    stack.minutes(16)
    stack.jump(hours=3, minutes=10)
    stack.minutes(20)


def runs_crash(stack: Operating, sick: list[str]) -> None:
    stack.crashing = set(sick)
    for _ in range(7):
        stack.minutes(2)
        stack.jump(minutes=30)
    stack.minutes(2)


def writer_stands_still(stack: Operating, sick: list[str]) -> None:
    stack.stopped = {"records"}
    for name in sick:
        stack.work(name)
    stack.minutes(5)
    stack.jump(hours=2)
    stack.minutes(20)


def held(stack: Operating, sick: list[str]) -> None:
    for name in sick:
        stack.work(name, state="waiting", waiting_for="account:6999", due_at="2027-01-01T00:00:00.000000+00:00")
    stack.minutes(5)
    stack.jump(days=3)
    stack.minutes(20)


def away_from_the_writer(stack: Operating, sick: list[str]) -> None:
    _writer_meets(stack, sick, "away")
    stack.minutes(5)
    stack.jump(hours=6)
    stack.minutes(20)


def login_refused_to_the_writer(stack: Operating, sick: list[str]) -> None:
    _writer_meets(stack, sick, "refuses")
    stack.minutes(5)


def _writer_meets(stack: Operating, sick: list[str], what: str) -> None:
    for name in sick:
        stack.network[name] = what
        stack.masters_are_through(name)
        stack.work(name)


def died(stack: Operating, sick: list[str]) -> None:
    for name in sick:
        stack.work(name, crashes=2)
    stack.minutes(20)


def died_long_ago(stack: Operating, sick: list[str]) -> None:
    died(stack, sick)
    stack.jump(days=15)
    stack.queues["records-dlq"].clear()  # SQS forgets after 14 days
    stack.minutes(20)


def secrets_cannot_be_listed(stack: Operating, sick: list[str]) -> None:
    def throttled() -> Any:
        raise Transient("Secrets Manager throttles.")

    if sick:
        stack.secrets.listed = throttled  # type: ignore[method-assign]
    stack.minutes(40)


def the_queue_takes_nothing(stack: Operating, sick: list[str]) -> None:
    def throttled(*_: Any) -> Any:
        raise Transient("AWS throttles the queue.")

    if sick:
        stack.modules["maintain", ""].wake_due = throttled
    stack.minutes(15)


def a_secret_is_no_json(stack: Operating, sick: list[str]) -> None:
    for name in sick:
        stack.secrets.write(name, "basware", "{")
    stack.minutes(40)


def records_meet_a_throttled_table(stack: Operating, sick: list[str]) -> None:
    def throttled(*_: Any) -> Any:
        raise Transient("AWS throttles the table.")

    if sick:
        stack.modules["write", ""].write = throttled
    for name in sick:
        stack.work(name)
    stack.minutes(30)


def functions_are_killed(stack: Operating, sick: list[str]) -> None:
    stack.killed = {"Write", *(f"Poll{logical}" for logical in SYSTEMS.values())} if sick else set()
    for name in sick:
        stack.work(name)
    stack.minutes(30)


def notifications_meet_a_throttled_table(stack: Operating, sick: list[str]) -> None:
    def throttled(*_: Any) -> Any:
        raise Transient("AWS throttles the table.")

    if sick:
        stack.modules["basware_webhook", ""].receiver.receive = throttled
    for _ in range(15):
        stack.minute()
        stack.send_webhook("t00")


def nothing_is_started(stack: Operating, sick: list[str]) -> None:
    names = {f"Poll{logical}" for logical in SYSTEMS.values()} | {"Write", "Maintain", "Enroll", "BaswareWebhook"}
    stack.throttled = names if sick else set()
    for minute in range(12):
        for name in sick:
            stack.notify(f"lane{minute}", {"tenant": name})
        stack.minute()
        stack.send_webhook("t00")


def ticks_have_stopped(stack: Operating, sick: list[str]) -> None:
    stack.stopped = {"ticks", "maintain"} if sick else set()
    stack.minutes(60)


def refresh_tokens_end(stack: Operating, sick: list[str]) -> None:
    """Pairings of paused tenants, whose gateway cannot be reached: 5 days are left, or 25 where all is well."""
    for n in range(len(sick) or 1):
        ends = stack.clock.now() + timedelta(days=5 if sick else 25)
        auth = {"type": "oauth2", "token_url": "https://api.eu-sagex3.com/v1/token", "client_id": "app"}
        auth |= {"client_secret": "s", "refresh_token": minted({"exp": int(ends.timestamp()), "n": n}, "k")}
        secret = {"url": "https://api.eu-sagex3.com/v1", "folder": f"F{n}", "auth": auth}
        basware: dict[str, Any] = {
            "region": "EU",
            "client_id": f"p{n}",
            "client_secret": "s",
            "companies": ["1"],
            "source_system": "X",
        }
        basware["purchase_order_target"] = "matching_orders"
        stack.secrets.write(f"paired{n}", "sage_x3", json.dumps(secret))
        stack.secrets.write(f"paired{n}", "basware", json.dumps(basware))
        stack.secrets.write(f"paired{n}", "settings", json.dumps({"paused": True}))
    stack.minutes(25)


FAILING = {
    "FailingFlows": (flow_fails, login_refused_to_the_poll),
    "PassOverdue": (flow_fails_for_hours, runs_are_not_made),
    "RunsWait": (runs_are_not_made,),
    "PollFails": (functions_are_killed,),
    "PollReturns": (runs_crash,),
    "RunsDead": (runs_crash,),
    "Unauthorized": (login_refused_to_the_poll, login_refused_to_the_writer),
    "OldestDue": (writer_stands_still,),
    "RecordsWait": (writer_stands_still,),
    "OldestHeld": (held,),
    "OldestDeferred": (away_from_the_writer,),
    "FailedRecords": (died, died_long_ago),
    "NewlyFailed": (died,),
    "RecordsDead": (died,),
    "OldestFailed": (died_long_ago,),
    "WriteFails": (functions_are_killed,),
    "WriteReturns": (records_meet_a_throttled_table,),
    "EnrollFails": (secrets_cannot_be_listed,),
    "EnrollThrottled": (nothing_is_started,),
    "EnrollStopped": (ticks_have_stopped,),
    "MaintainFails": (the_queue_takes_nothing,),
    "RegistryOld": (secrets_cannot_be_listed,),
    "RefreshTokenEnds": (refresh_tokens_end,),
    "TenantFaulty": (a_secret_is_no_json,),
    "WebhookFails": (notifications_meet_a_throttled_table,),
    "WebhookUnanswered": (notifications_meet_a_throttled_table, nothing_is_started),
    "WebhookThrottled": (nothing_is_started,),
    "WriteThrottled": (nothing_is_started,),
    "MaintainThrottled": (nothing_is_started,),
    "PollThrottled": (nothing_is_started,),
    "PollStopped": (ticks_have_stopped,),
    "MaintainStopped": (ticks_have_stopped,),
}
"""By alarm, what sets it off. All gauges are asked besides to go off when they are missing."""
CASES = sorted({case for cases in FAILING.values() for case in cases}, key=lambda case: case.__name__)
STARTS_OF_A_STACK = timedelta(minutes=20)
"""For so long the gauges of a new stack may be missed."""


def concerned(case: Callable[..., None], erp: str) -> list[str]:
    """The alarms that a case sets off; none of the ERPs that nobody has."""
    named = [name for name in ALARMS if case in FAILING.get(base(name), ())]
    if case is login_refused_to_the_writer:
        named = [name for name in named if of_system(name) == "basware"]  # an invoice is fetched there first
    others = SYSTEMS.keys() - {erp, "basware"}
    return [
        name for name in named if of_system(name) not in others or base(name).startswith(("PollThr", "PollSt", "PollF"))
    ]


@pytest.mark.parametrize(("sick", "of"), [(0, 5), *SIZES])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_an_alarm_goes_off_in_its_failing_case_and_only_there(case, sick, of):
    erp = "sage_300" if of == 5 else "sap_b1"
    with operating(erp, of) as stack:
        stack.minutes(10)
        case(stack, stack.names[-sick:] if sick else [])
        told = {name: is_on(name, stack) for name in concerned(case, erp)}
    assert told
    assert {name for name, on in told.items() if on != {sick > 0}} == set()


@pytest.mark.parametrize("erp", ERPS)
@pytest.mark.parametrize("tenants", [1, 5, 30])
def test_every_alarm_is_quiet_while_all_is_well(erp, tenants):
    """Also while a document waits for a person since an hour, and a source was away for a moment."""
    with operating(erp, tenants) as stack:
        stack.minutes(15)
        stack.work(stack.names[0], state="waiting", waiting_for="account:1", due_at="2027-01-01T00:00:00.000000+00:00")
        stack.broken = {stack.names[-1]: Transient("busy")}
        stack.minutes(10)
        stack.broken = {}
        stack.send_webhook(stack.names[0])
        stack.minutes(45 if tenants < 30 else 15)
        on = {name for name in ALARMS for told in _told(name, stack, BEGIN + STARTS_OF_A_STACK) if "ALARM" in told}
    assert on == set()


@pytest.mark.parametrize("name", [name for name in ALARMS if ALARMS[name]["Namespace"] == "MlConnector"])
def test_a_gauge_that_is_missing_is_an_alarm_and_an_event_that_is_missing_is_none(name, silent):
    gauge = ALARMS[name]["Statistic"] == "Maximum"
    assert is_on(name, silent) == {gauge}
    assert ALARMS[name]["TreatMissingData"] == ("breaching" if gauge else "notBreaching")


@pytest.fixture(scope="module")
def silent():
    with operating("sap_b1", 1) as stack:
        stack.minutes(10)
        ticks_have_stopped(stack, ["t00"])
        return stack


def test_a_later_failure_is_told_although_an_old_one_is_still_there():
    with operating("sap_b1", 5) as stack:
        stack.minutes(5)
        died(stack, ["t00"])
        stack.minutes(40)
        (before,) = {what for beyond in BEYOND for _, what in _now("NewlyFailedSapB1", stack, beyond)}
        later = stack.clock.now()
        stack.work("t03", "two", crashes=2)
        stack.minutes(5)
        told = [
            {
                what
                for _, what in states(
                    ALARMS["NewlyFailedSapB1"], seen("NewlyFailedSapB1", stack.points), later, stack.clock.now(), beyond
                )
            }
            for beyond in BEYOND
        ]
    assert before == "OK"
    assert all("ALARM" in one for one in told)


def _now(name: str, stack: Operating, beyond: int) -> list[tuple[datetime, str]]:
    now = stack.clock.now()
    return list(states(ALARMS[name], seen(name, stack.points), now, now, beyond))


def test_work_behind_a_closed_door_is_no_new_refusal():
    with operating("sap_b1", 1) as stack:
        stack.minutes(5)
        login_refused_to_the_writer(stack, ["t00"])
        for n in range(20):
            stack.work("t00", f"more{n}")
        stack.minutes(60)
        points = [point.value for point in seen("UnauthorizedBasware", stack.points) if point.value]
    assert points == [1]


# ── the template ─────────────────────────────────────────────────────────────────────────────────────────────


def test_each_alarm_has_its_failing_case_and_its_runbook():
    names = {base(name) for name in ALARMS}
    assert names == set(FAILING)
    runbooks = (ROOT / "docs/runbooks.md").read_text("utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", runbooks, re.S | re.M))
    assert set(sections) == names
    for name, text in sections.items():
        for part in ("**Means**", "**Look**", "**Do**"):
            assert part in text, f"{name} lacks {part}"
    for name, alarm in ALARMS.items():
        assert alarm["AlarmDescription"].endswith(f"docs/runbooks.md#{base(name).lower()}"), name


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_errors_and_throttles_of_each_function_have_an_alarm(metric):
    functions = {name for name, r in RESOURCES.items() if r["Type"] == "AWS::Lambda::Function"}
    watched = [dict(dimensions(alarm))["FunctionName"] for alarm in ALARMS.values() if alarm["MetricName"] == metric]
    assert sorted(watched) == sorted(functions)


def test_each_function_that_stops_is_noticed():
    """A tick by its calls, a function behind a queue by what waits there, the webhook by what its callers are told."""
    ticked = {
        r["Properties"]["Targets"][0]["Arn"]["Fn::GetAtt"][0]
        for r in RESOURCES.values()
        if r["Type"] == "AWS::Events::Rule"
    }
    by_calls = {dict(dimensions(a))["FunctionName"] for a in ALARMS.values() if a["MetricName"] == "Invocations"}
    assert by_calls == ticked
    aged = {dict(dimensions(a))["QueueName"] for a in ALARMS.values() if a["MetricName"].endswith("OldestMessage")}
    mappings = [r["Properties"] for r in RESOURCES.values() if r["Type"] == "AWS::Lambda::EventSourceMapping"]
    assert aged == {QUEUES[mapping["EventSourceArn"]["Fn::GetAtt"][0]] for mapping in mappings}
    behind = {mapping["FunctionName"]["Ref"] for mapping in mappings}
    others = {n for n, r in RESOURCES.items() if r["Type"] == "AWS::Lambda::Function"} - ticked - behind
    assert others == {"BaswareWebhook"}
    assert "5xx" in {alarm["MetricName"] for alarm in ALARMS.values()}


def test_an_alarm_is_one_that_cloudwatch_takes():
    for name, alarm in ALARMS.items():
        assert alarm["Period"] * alarm["EvaluationPeriods"] <= 86_400, name
        assert 1 <= alarm["DatapointsToAlarm"] <= alarm["EvaluationPeriods"], name
        assert len(json.dumps(alarm["AlarmDescription"])) < 1024, name
