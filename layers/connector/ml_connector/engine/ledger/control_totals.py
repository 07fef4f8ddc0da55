"""Control totals: what was read equals delivered + unchanged + held + rejected + failed + pending, to the row and cent.

Figures are sums over chunk rows plus what the poll saved with its position; nothing is counted up on the side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import Any

from ml_connector.currencies import decimals
from ml_connector.engine.ledger.alignments import told
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.flow import Flow

PLACES = ("read", "delivered", "unchanged", "held", "rejected", "failed", "pending")


_WIDE = Context(prec=100)
"""Exact for every sum of countable amounts, whatever the process's own precision is."""
_DIGITS, _DECIMALS = 19, 9


def countable(amount: str | Decimal | None) -> Decimal | None:
    """Give an amount as a number that sums can hold; None where it is none, or one that no ledger can hold.

    What a source says of a document is not checked before it is written down: `1E+29` is rejected, and still shown.
    """
    try:
        value = Decimal(amount) if amount is not None else None
    except InvalidOperation:
        return None
    if value is None or not value.is_finite():
        return None
    if not value:
        return Decimal(0)
    if not -_DECIMALS <= value.adjusted() < _DIGITS:
        return None
    return value if value.quantize(Decimal(1).scaleb(-_DECIMALS), context=_WIDE) == value else None


def total(values: Iterable[Decimal]) -> Decimal:
    """Add up amounts to the last cent."""
    with localcontext(_WIDE):
        return sum(values, Decimal(0))


def money(value: Decimal, currency: str | None) -> str:
    """Write an amount with the decimals of its currency (JPY 1000, EUR 10.00, KWD 10.000), or all that it has."""
    places = decimals(currency) if currency else None
    places = 2 if places is None else places
    with localcontext(_WIDE):
        return f"{value:.{places}f}" if value == round(value, places) else f"{value:f}"


def money_of(chunk: Chunk, flow: Flow) -> tuple[str | None, str | None]:
    """Give amount and currency of a document as people read them; None for master data and unknown ones."""
    amount = countable(chunk.amount) if flow.money else None
    return (None, None) if amount is None else (money(amount, chunk.currency), chunk.currency)


class FlowTotals:
    """The figures of one flow in one run. `open`: lines of what is not completed and in none of the other lists;
    `listed` names the chunks that are in one of these.
    """

    def __init__(self, flow: Flow) -> None:
        """Begin with zeros."""
        self.flow = flow
        self.counts = dict.fromkeys(PLACES, 0)
        self.amounts: dict[str, dict[str, Decimal]] = {}
        self.error: str | None = None
        self.would_send: int | None = None
        self.held: list[dict[str, Any]] = []
        self.rejected: list[dict[str, Any]] = []
        self.failed: list[dict[str, Any]] = []
        self.open: list[dict[str, Any]] = []
        self.listed: set[str] = set()
        self.rounding: list[dict[str, Any]] = []

    def add_cursor(self, ledger: Ledger, since: str) -> None:
        """Add what the poll found to need no chunk, in the run `since` or a later one."""
        figures = ledger.cursor()[0].figures
        if figures.run < since:
            return
        self.counts["read"] += figures.unchanged + figures.rejected
        self.counts["unchanged"] += figures.unchanged
        self.counts["rejected"] += figures.rejected
        self.rejected += [{"key": k, "reason": r} for k, r in figures.rejects]

    def add_chunk(self, chunk: Chunk, keys: Sequence[str] = ()) -> None:
        """Add a chunk by its state. `keys`: the records that it still has to settle, where it has several."""
        if chunk.op == "notice":
            return  # it brought nothing to move
        if chunk.state == "done":
            self._done(chunk)
            return
        moved = sum(1 for outcome, _ in chunk.results.values() if outcome == "moved")
        count = chunk.count - moved
        place = "failed" if chunk.state == "failed" else "held" if self._is_held(chunk) else "pending"
        self._put(place, count, chunk)
        if place != "pending":
            self.listed.add(chunk.id)
        if place == "held":
            self.held += [line | told(chunk, str(line["key"])) for line in self._lines(chunk, {}, keys)]
        if place == "failed":
            self.failed += self._lines(chunk, {"reason": chunk.reason, "cause": chunk.cause}, keys)

    def _is_held(self, chunk: Chunk) -> bool:
        """Tell whether a chunk waits for somebody; behind a system that is away, waiting for masters is not that."""
        return bool(chunk.waiting_for) and not (self.error and str(chunk.waiting_for).startswith("prerequisite:"))

    def _done(self, chunk: Chunk) -> None:
        if chunk.shadow:
            self.would_send = (self.would_send or 0) + chunk.delivered
        for place in ("delivered", "unchanged", "rejected"):
            shown = "pending" if chunk.shadow and place == "delivered" else place
            self._put(shown, getattr(chunk, place), chunk)
        if chunk.key is not None and chunk.rejected:
            self.rejected.append({"key": chunk.key, "reason": chunk.reason or ""})
        self.rejected += [{"key": k, "reason": why} for k, (_, why) in chunk.results.items()]

    def _put(self, place: str, count: int, chunk: Chunk) -> None:
        self.counts["read"] += count
        self.counts[place] += count
        amount = countable(chunk.amount)
        if not self.flow.money or not count or amount is None or chunk.currency is None:
            return
        sums = self.amounts.setdefault(chunk.currency, dict.fromkeys(PLACES, Decimal(0)))
        for name in ("read", place):
            sums[name] = total((sums[name], amount))
        if place == "delivered" and (posted := countable(chunk.posted_amount)) is not None:
            self._differ(chunk, amount, posted, sums)

    def _differ(self, chunk: Chunk, approved: Decimal, posted: Decimal, sums: dict[str, Decimal]) -> None:
        """Count what the target holds, and name the document of which it holds something else than was approved."""
        difference = total((posted, -approved))
        sums["delivered"] = total((sums["delivered"], difference))
        self.rounding.append(
            {
                "key": chunk.key,
                "number": chunk.number,
                "posted_as": chunk.code,
                "currency": chunk.currency,
                "approved": money(approved, chunk.currency),
                "posted": money(posted, chunk.currency),
                "difference": money(difference, chunk.currency),
            }
        )

    def rounding_differences(self) -> dict[str, Decimal]:
        """Say by currency what the target holds more than was approved."""
        found: dict[str, Decimal] = defaultdict(Decimal)
        for line in self.rounding:
            found[line["currency"]] = total((found[line["currency"]], Decimal(line["difference"])))
        return dict(sorted(found.items()))

    def _lines(self, chunk: Chunk, more: dict[str, Any], keys: Sequence[str]) -> list[dict[str, Any]]:
        amount, currency = money_of(chunk, self.flow)
        line = {"number": chunk.number, "amount": amount, "currency": currency, **more}
        return [{"key": key, **line} for key in ([chunk.key] if chunk.key else keys or [chunk.id])]

    @property
    def reconciled(self) -> bool:
        """Tell whether the sums agree and the flow could run."""
        counts = self.counts["read"] == sum(self.counts[p] for p in PLACES[1:])
        more = self.rounding_differences()
        money = all(
            total((sums["read"], more.get(currency, Decimal(0)))) == total(sums[p] for p in PLACES[1:])
            for currency, sums in self.amounts.items()
        )
        return self.error is None and counts and money

    def as_row(self) -> dict[str, Any]:
        """Give the report's figures of the flow."""
        row: dict[str, Any] = {**self.counts, "error": self.error}
        if self.would_send is not None:
            row["would_send"] = self.would_send
        if self.flow.money:
            row["amounts"] = {
                currency: {place: money(value, currency) for place, value in sums.items()}
                for currency, sums in sorted(self.amounts.items())
            }
        if more := self.rounding_differences():
            row["rounding_differences"] = {currency: money(value, currency) for currency, value in more.items()}
        return row


def totals(sheets: Iterable[FlowTotals]) -> dict[str, int]:
    """Add up the counts of several flows."""
    sums: dict[str, int] = defaultdict(int)
    for sheet in sheets:
        for place, count in sheet.counts.items():
            sums[place] += count
    return dict(sums)
