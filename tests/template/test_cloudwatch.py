"""The evaluator of alarms gives what the tables in AWS's documentation give."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.template.cloudwatch import Point, periods, state, states

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
ALARM = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 0, "Statistic": "Maximum", "Period": 60}
KEPT = "kept"


@pytest.mark.parametrize(
    ("wanted", "range_of", "expected"),
    [
        (3, "0-X-X", ("OK", "OK", "OK", "OK")),
        (3, "0----", ("OK", "OK", "OK", "OK")),
        (3, "-----", ("INSUFFICIENT_DATA", KEPT, "ALARM", "OK")),
        (3, "0XX-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (3, "--X--", ("ALARM", KEPT, "ALARM", "OK")),
        (2, "0-X-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "00X0X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "0-X--", ("OK", "OK", "ALARM", "OK")),
        (2, "----0", ("OK", "OK", "ALARM", "OK")),
        (2, "---X-", ("ALARM", KEPT, "ALARM", "OK")),
    ],
)
def test_missing_data_is_treated_as_in_the_tables_of_the_documentation(wanted, range_of, expected):
    found = [{"0": 0.0, "X": 1.0, "-": None}[one] for one in range_of]
    for treatment, result in zip(TREATMENTS, expected, strict=True):
        alarm = {**ALARM, "EvaluationPeriods": 3, "DatapointsToAlarm": wanted, "TreatMissingData": treatment}
        for before in ("OK", "ALARM"):
            assert state(alarm, found, before) == (before if result == KEPT else result), treatment


def test_values_are_put_together_by_period_and_statistic():
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    points = [Point(noon + timedelta(seconds=s), "n", "m", frozenset(), v) for s, v in ((0, 1), (59, 2), (130, 5))]
    alarm = {**ALARM, "EvaluationPeriods": 3, "Statistic": "Sum"}
    assert periods(alarm, points, noon + timedelta(minutes=3), 1) == [None, 3, None, 5]
    less = {**alarm, "ComparisonOperator": "LessThanThreshold", "Threshold": 4, "TreatMissingData": "notBreaching"}
    assert state(less, [3, None, 5, 5]) == "OK"
    assert state({**less, "EvaluationPeriods": 1}, [5, 3]) == "ALARM"


def test_the_state_is_looked_at_every_minute():
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    alarm = {**ALARM, "EvaluationPeriods": 1, "TreatMissingData": "notBreaching"}
    seen = states(alarm, [Point(noon, "n", "m", frozenset(), 1)], noon, noon + timedelta(minutes=2), 0)
    assert [what for _, what in seen] == ["OK", "ALARM", "OK"]
