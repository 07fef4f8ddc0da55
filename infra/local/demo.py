"""The demonstration: simulated vendors, the real template on this machine, a tenant for each ERP, proof at the end.

Act one moves everything. In act two people act: an account is mapped, an invoice is approved in Basware (which
notifies us), and an ERP pays one. Each act ends with its figures; the report has both acts together.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ml_connector.engine.ledger.control_totals import FlowTotals, totals

from ..ops.sandbox import DEFAULT
from ..ops.summary import figures
from .demo_books import Books
from .demo_part import Part
from .demo_submitted import SubmittedPart
from .report import Outcome
from .simulated_vendors import KINDS, standing
from .stack_run import LocalStack, deployed
from .submitted_books import SubmittedBooks

PATIENCE = 900.0
Tell = Callable[[str], None]
TOGETHER = (
    "The report adds both acts up: what act one delivered and act two read again without a change is counted a second "
    "time, as unchanged."
)
BY_HAND = (
    "These vendors ended with the demo. To try the commands named here: `source .venv/bin/activate`, start "
    "the same ones with `ml-connector sandbox`, and with `--system sage_300`, `--system syspro`, `--system sage_x3` or "
    "`--system sage_x3 --platform avidxchange`, "
    f"each in a terminal of its own, then `ml-connector local run --secrets {DEFAULT}`; the same documents wait there."
)


@dataclass
class Demo:
    """The play: one part for each ERP, on one stack."""

    stack: LocalStack
    parts: list[Part]
    tell: Tell
    _since: str = ""

    def play(self, addresses: list[tuple[str, str]]) -> Outcome:
        """Play both acts; gives the figures of all that moved."""
        self._since = self.stack.started
        names = " and ".join(part.books.tenant for part in self.parts)
        self.tell(f"Onboarding the tenants {names}: two secrets are written for each, nothing else.")
        for part, (erp_url, ap_url) in zip(self.parts, addresses, strict=True):
            part.onboard(erp_url, ap_url)
        self.stack.enroll()
        self.tell("\nAct one: master data, orders and invoices move for the first time.")
        done = self._run()
        for part in self.parts:
            part.check_masters()
            part.check_invoices()
        self.tell("\nAct two: people act, then everything is read once more.")
        self._since = self.stack.now()
        for part in self.parts:
            for done_by_hand in part.people_act():
                self.tell(f"  {part.books.tenant}: {done_by_hand}")
        done = self._run() and done
        for part in self.parts:
            part.check_act_two()
        outcome = self.stack.outcome(cut=not done)
        outcome.where, outcome.notes = f"--secrets {DEFAULT}", (TOGETHER, BY_HAND)
        return outcome

    def _run(self) -> bool:
        """Play an act to its end, and tell its figures."""
        self.stack.start_flows()
        done = self.stack.until_idle(PATIENCE, self._progress)
        for line in figures(self.stack.outcome(cut=not done, since=self._since)):
            self.tell(line)
        return done

    def _progress(self, stack: LocalStack) -> None:
        """Tell how much of what was read in this act is done with."""
        by_tenant: dict[str, list[FlowTotals]] = {}
        for (tenant, _, _), sheet in stack.sheets(self._since).items():
            by_tenant.setdefault(tenant, []).append(sheet)
        sums = {tenant: totals(sheets) for tenant, sheets in by_tenant.items()}
        done = {tenant: sum(s[place] for place in ("delivered", "unchanged", "rejected")) for tenant, s in sums.items()}
        self.tell("\r" + ", ".join(f"{tenant}: {done[tenant]} of {s['read']} done" for tenant, s in sums.items()))


def play(tell: Tell) -> tuple[Outcome, list[str]]:
    """Set the stage, play, and clear it away; gives the figures and what was found wrong."""
    with ExitStack() as stack:
        shelf: list[Books] = [kind() for kind in KINDS.values()]
        addresses = []
        for books in shelf:
            urls = stack.enter_context(standing(books))
            erp_url, ap_url = urls[books.system], urls[books.platform_system]
            tell(f"{books.title} is simulated at {erp_url}, its {books.platform_title} at {ap_url}.")
            addresses.append((erp_url, ap_url))
        folder = stack.enter_context(_scratch())
        tell("Starting the local stack and deploying template.yaml.")
        local = stack.enter_context(deployed(folder))
        demo = Demo(local, [_part(books, local) for books in shelf], tell)
        return demo.play(addresses), [fault for part in demo.parts for fault in part.faults]


def _part(books: Books, stack: LocalStack) -> Part:
    return SubmittedPart(books, stack) if isinstance(books, SubmittedBooks) else Part(books, stack)


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ml-connector-demo-") as name:
        yield Path(name)
