"""One document's life: the simulation's whole product and rules, with one invoice and nothing left to chance."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from infra.sandbox.basware import notify
from tests.exploration.acts import ACTS
from tests.exploration.places import STAYS, Dice, Explorer, Scripted, storm
from tests.simulation import functions, worlds
from tests.simulation.history import Cut, History, Tilt

if TYPE_CHECKING:
    from tests.simulation.sides import Erp

SETTLED = timedelta(minutes=40)
"""After this the masters are in the platform, and the invoice comes."""
STORM = 1.25
"""Hours from the start to the calm."""
SEED = 3
"""One that draws one tenant, and begins on an ordinary Monday."""
INVOICE, CREDIT = 0.5, 0.9
"""What `worlds.invoice` draws for the one and for the other."""
NOTHING = Cut(frozenset(), frozenset())


class Life(History):
    """A history of one tenant and one invoice, or one credit note. `explorer` decides what happens in it."""

    made = Scripted

    def __init__(self, erp: type[Erp], explorer: Explorer, *, credit: bool = False) -> None:
        tilt = Tilt(hours=STORM, short=False, erp=erp, busy=1, very_late=False)
        super().__init__(SEED, tilt, NOTHING)
        assert len(self.offices) == 1
        self.explorer, self.thorough, self.credit = explorer, False, credit
        machine = self.machine
        assert isinstance(machine, Scripted)
        machine.explorer, machine.dice, machine.act = explorer, Dice(1), self._between_calls
        machine.meddling = None
        self.dice = machine.dice
        office = self.office = self.offices[0]
        office.dice = Dice(2)
        office.papers.clear()
        office.ap.documents.clear()
        office.ap.verdict_delay = 0.5

    # ── the life ────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self) -> None:
        """Load the functions, and live until the masters are in the platform."""
        functions.load()
        self._hearing = self._heard()
        self._hearing.__enter__()
        self._begin()
        while self.machine.now() < self.machine.start + SETTLED and self._step():
            pass

    def live(self) -> list[str]:
        """Offer the invoice, let the explorer decide what happens to it, and judge what has become of it."""
        from tests.simulation.checker import judge

        dice = self.office.dice
        assert isinstance(dice, Dice)
        dice.drawn = CREDIT if self.credit else INVOICE
        paper = worlds.invoice(self.office, card=self.office.erp.suppliers()[1])
        dice.drawn = STAYS
        self.machine.weather = storm()
        self.explorer.open = True
        notify.document_waiting(self.office.ap, self.office.ap.documents[paper.key])
        while self._step():
            pass
        self._hearing.__exit__(None, None, None)
        return judge(_Lived(self))  # type: ignore[arg-type]

    def _set_weather(self) -> None:
        """Calm, until the invoice comes."""

    def _calm(self) -> None:
        self.explorer.open = False
        super()._calm()

    def _step(self) -> bool:
        self._people("step")
        return super()._step()

    def _between_calls(self, what: str) -> None:
        """Let people act between two calls: before each request, and around whatever is written."""
        if what.startswith(("before request", "before put", "after put", "after ring")):
            with self.machine.aside():
                self._people(what.partition(" ")[0])

    def _people(self, where: str) -> None:
        explorer = self.explorer
        if not explorer.open:
            return
        name = explorer.at("act", tuple(ACTS))
        if name is None:
            return
        self.machine.note(f"* {name} ({where})")
        self._acting(True)
        try:
            self._do(ACTS[name], self.office)
        finally:
            self._acting(False)

    def _acting(self, now: bool) -> None:
        assert isinstance(self.machine, Scripted)
        self.machine._acting = now


class _Lived:
    """A life that was lived, as `judge` wants it: an hour more of it can be asked for."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._life, name)

    def run(self) -> Life:
        return self._life

    def overtime(self) -> History:
        return self._life.overtime()
