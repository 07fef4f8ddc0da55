"""How CloudWatch evaluates a metric alarm, as AWS documents it ("Alarm evaluation", "Configuring how CloudWatch alarms
treat missing data"). What it says of when a period ends and how far the evaluation range reaches is not exact, so both
are parameters, and a test holds for each of their values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

COMPARISONS = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
STATISTICS = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Average": lambda values: sum(values) / len(values),
}
BEYOND = (0, 2, 4)
"""How many periods the evaluation range may have beyond those that are evaluated: AWS tells no number."""


@dataclass(frozen=True)
class Point:
    """One value of one metric, as it was published."""

    at: datetime
    namespace: str
    metric: str
    dimensions: frozenset[tuple[str, str]]
    value: float


def periods(alarm: Mapping[str, Any], points: Iterable[Point], at: datetime, beyond: int) -> list[float | None]:
    """The statistic of each period in the evaluation range that ends at a time, the latest last; None: no data."""
    length = timedelta(seconds=alarm["Period"])
    count = alarm["EvaluationPeriods"] + beyond
    begins, values = at - count * length, [[] for _ in range(count)]
    for point in points:
        if begins <= point.at < at:
            values[(point.at - begins) // length].append(point.value)
    return [STATISTICS[alarm["Statistic"]](found) if found else None for found in values]


def state(alarm: Mapping[str, Any], found: list[float | None], before: str = "OK") -> str:
    """The state that follows from the periods of the evaluation range, the latest last, and the state before."""
    most = alarm["EvaluationPeriods"]
    wanted = alarm.get("DatapointsToAlarm", most)
    breaches = COMPARISONS[alarm["ComparisonOperator"]]
    real = [breaches(value, alarm["Threshold"]) for value in found if value is not None]
    real = real[-most:]  # where there are more than are evaluated, the latest of those that exist
    missing = most - len(real)
    treated = alarm.get("TreatMissingData", "missing")
    if missing == 0 or treated in {"breaching", "notBreaching"}:
        filled = missing if treated == "breaching" else 0
        return "ALARM" if sum(real) + filled >= wanted else "OK"
    if not real:
        return before if treated == "ignore" else "INSUFFICIENT_DATA"
    if sum(real) >= wanted:
        return "ALARM"
    if all(real):  # too few to tell, and each of them bad
        return before if treated == "ignore" else "ALARM"
    return "OK"


def states(
    alarm: Mapping[str, Any], points: Iterable[Point], begin: datetime, end: datetime, beyond: int
) -> Iterator[tuple[datetime, str]]:
    """The state after each minute from `begin` to `end`: so the periods end at every minute that they may end at."""
    known, at = list(points), begin
    was = "INSUFFICIENT_DATA"
    while at <= end:
        was = state(alarm, periods(alarm, known, at, beyond), was)
        yield at, was
        at += timedelta(minutes=1)
