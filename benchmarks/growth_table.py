"""What a stack of a size came to, and the table of `docs/performance.md` that it makes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal


@dataclass
class RunCost:
    """What one run comes to, on average over an hour of real ones: every cadence but the nightly one is in it."""

    seconds: Decimal
    logged: Decimal
    units: dict[str, Decimal]


@dataclass
class Measured:
    """What a stack of a size came to: seconds of the longest call of each function, dollars for 30 days idle."""

    count: int
    enrolled_minutes: int
    enrolling: dict[str, float]
    ticks: dict[str, float]
    at_once: float
    late: float
    interval: tuple[float, float]
    run_seconds: float
    slots: float
    calls: dict[str, int]
    dollars: dict[str, Decimal]
    run: RunCost

    @property
    def each(self) -> Decimal:
        """Dollars a tenant and month."""
        return sum(self.dollars.values(), Decimal()) / self.count


def table(found: list[Measured]) -> str:
    """Write the table of `docs/performance.md`."""
    rows: list[tuple[str, Callable[[Measured], str]]] = [
        ("first enrolment of all (minutes)", lambda m: str(m.enrolled_minutes)),
        (
            "longest tick while enrolling: enroll, maintain (s of 120, 50)",
            lambda m: f"{m.enrolling['enroll']:.1f}, {m.enrolling['maintain']:.1f}",
        ),
        (
            "longest tick after: enroll, maintain (s of 120, 50)",
            lambda m: f"{m.ticks['enroll']:.1f}, {m.ticks['maintain']:.1f}",
        ),
        (
            "longest tick of poll: all due together, as ever (s of 300)",
            lambda m: f"{m.at_once:.1f}, {max(v for k, v in m.ticks.items() if 'poll' in k):.1f}",
        ),
        ("between two runs of `every 5 minutes` (s)", lambda m: f"{m.interval[0]:.0f} to {m.interval[1]:.0f}"),
        ("longest `CadenceLateSeconds`", lambda m: f"{m.late:.0f}"),
        ("a run (s); slots of a system in use (of 50)", lambda m: f"{m.run_seconds:.2f}; {m.slots:.1f}"),
        *(
            (f"calls a month: {label}", lambda m, k=key: f"{math.ceil(m.calls.get(k, 0)):,}")
            for label, key in (
                ("Lambda", "Lambda"),
                ("SQS requests", "sqs requests"),
                ("DynamoDB write units", "dynamodb write units"),
                ("DynamoDB read units", "dynamodb read units"),
                ("Secrets Manager", "secrets calls"),
                ("KMS", "kms requests"),
            )
        ),
        *((f"USD a month: {s}", lambda m, k=s: f"{m.dollars[k]:.2f}") for s in found[0].dollars),
        ("**USD a tenant and month**", lambda m: f"**{m.each:.2f}**"),
    ]
    lines = [f"| tenants | {' | '.join(f'{m.count:,}' for m in found)} |", f"|---|{'---:|' * len(found)}"]
    lines += [f"| {name} | {' | '.join(cell(m) for m in found)} |" for name, cell in rows]
    return "\n".join(lines)
