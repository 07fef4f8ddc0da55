"""What a million master records cost at AWS, counted from the calls that the product makes for some of them.

`python -m benchmarks.costs 10000`: first all are new, then all have changed, then none has: the daily comparison,
which reads everything, finds nothing and looks for deletions. Beside it the hourly run over what changed.
"""

from __future__ import annotations

import sys
from decimal import Decimal

import msgspec

from benchmarks.metered import Meter, MeteredBucket, MeteredDynamo, MeteredQueue
from benchmarks.prices import dollars
from benchmarks.stream import HandClock, Stream, pair, read_all, write_all
from ml_connector.aws.blobs import S3Blobs
from ml_connector.aws.queue import SqsQueue
from ml_connector.aws.store import DynamoStore
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.engine.runtime import Runtime

MILLION = 1_000_000
PHASES = ("new", "changed", "unchanged")


class Account:
    """The product on metered services, and what each phase added to the bill."""

    def __init__(self, count: int) -> None:
        """Begin with empty services."""
        self.meter, self.clock, self.count = Meter(), HandClock(), count
        self.queue = MemoryQueue(self.clock)
        sqs = MeteredQueue(self.meter, lambda group, body: self.queue.notify(group, msgspec.json.decode(body)))
        rng = SeededRandom(1)
        runtime = Runtime(
            DynamoStore("table", MeteredDynamo(self.meter), self.clock),
            SqsQueue(sqs, "records", "dlq", rng),
            S3Blobs(MeteredBucket(self.meter), "bucket"),
            self.clock,
            rng,
            boot="b",
        )
        self.stream = Stream(count, self.clock)
        self.pair = pair(runtime, self.stream)

    def phase(self, name: str, *, full: bool) -> Meter:
        """Poll everything and write what is to be written; gives what that alone came to."""
        self.meter.units.clear()
        self.meter.calls.clear()
        read_all(self.pair, name, full=full)
        write_all(self.pair, self.queue)
        delivered = sum(c.delivered for c in self.pair.ledger("vendors").finished() if c.run == name)
        if delivered != (0 if name == "unchanged" else self.count):
            raise RuntimeError(f"{delivered} of {self.count} records were delivered in the phase '{name}'.")
        done = Meter()
        done.units.update(self.meter.units)
        done.calls.update(self.meter.calls)
        return done

    def a_million(self, meter: Meter) -> dict[str, Decimal]:
        """Scale a phase's bill up to a million records, in US dollars by kind of unit."""
        return {kind: cost * MILLION / self.count for kind, cost in dollars(meter.units).items()}


def bills(count: int) -> dict[str, tuple[dict[str, Decimal], Meter]]:
    """Give for each phase its bill for a million records, and what was counted for `count`."""
    account = Account(count)
    found = {}
    for name in PHASES:
        account.stream.edition = "1" if name == "new" else "2"
        meter = account.phase(name, full=name == "unchanged")
        found[name] = (account.a_million(meter), meter)
    return found


def main() -> None:
    """Print each phase's bill and the calls behind it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    for name, (bill, meter) in bills(count).items():
        print(f"a million {name}: {sum(bill.values()):.3f} USD")
        for kind, cost in bill.items():
            print(f"    {cost:.4f}  {kind} ({meter.units[kind]:,} for {count:,} records)")
        print(f"    calls: {', '.join(f'{n:,} {call}' for call, n in meter.calls.most_common())}")


if __name__ == "__main__":
    main()
