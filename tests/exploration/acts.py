"""What people may do at any moment: each act of the simulation, with what it would draw laid down."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from infra.sandbox.basware import notify
from tests.exploration.places import BACK, STAYS, Dice
from tests.simulation import changes, clerks, commands, people
from tests.simulation.sides import Act

if TYPE_CHECKING:
    from tests.simulation.history import History
    from tests.simulation.worlds import Office


def drawn(act: Act, wanted: Any = None, chance: float = STAYS) -> Act:
    """Lay down what an act draws."""

    def so(history: History, office: Office) -> None:
        for dice in (office.dice, history.machine.dice):
            assert isinstance(dice, Dice)
            dice.wanted, dice.drawn = wanted, chance
        try:
            act(history, office)
        finally:
            for dice in (office.dice, history.machine.dice):
                assert isinstance(dice, Dice)
                dice.wanted, dice.drawn = None, STAYS

    return so


def offered_again(history: History, office: Office) -> None:
    """The platform tells of the document once more."""
    for document in office.ap.documents.values():
        notify.document_waiting(office.ap, document)


def restore_after(seconds: float) -> Callable[[History, Office], None]:
    """Bring our state back to this moment after a while."""

    def act(history: History, office: Office) -> None:
        saved = history.plant.store.save()
        history.after(seconds, "restore", lambda: history.restored(saved))

    return act


ACTS: dict[str, Act] = {
    "number corrected": drawn(changes.renumber),
    "number corrected and undone": drawn(changes.renumber, chance=BACK),
    "kind corrected": drawn(changes.turn_kind),
    "supplier corrected": drawn(changes.change_supplier),
    "amount corrected": drawn(changes.change_amount),
    "amount corrected and undone": drawn(changes.change_amount, chance=BACK),
    "supplier mapped": drawn(changes.remap_supplier),
    "supplier mapped and unmapped": drawn(changes.remap_supplier, chance=BACK),
    "account mapped": drawn(changes.remap_account, "account"),
    "tolerance set": drawn(changes.settings, "tolerance"),
    "period rule set": drawn(changes.settings, "period"),
    "own key set": drawn(changes.settings, "own key"),
    "recalled": drawn(people.recall),
    "recalled and offered again": drawn(people.recall, chance=BACK),
    "offered twice": drawn(offered_again),
    "keyed by hand": drawn(people.book_by_hand),
    "keyed by hand with another date": drawn(clerks.recurring, -31),
    "cancelled in the ERP": drawn(clerks.cancel),
    "number used anew": drawn(clerks.anew),
    "approval needed": drawn(clerks.approval),
    "period closed": drawn(people.close_period),
    "sessions expired": drawn(people.expire_sessions),
    "ERP password rotated": drawn(people.rotate, 60.0, BACK),
    "platform secret rotated": drawn(people.rotate, 60.0),
    "password mistyped": drawn(people.mistype, 0.1),
    "endpoint renamed": drawn(people.move),
    "tenant removed for a while": drawn(people.leave),
    "queues purged": drawn(people.purge),
    "received twice": drawn(people.twice),
    "release deployed": drawn(people.deploy),
    "replay": drawn(commands.replay),
    "resolve --post": drawn(commands.resolve),
    "released from an old list": drawn(commands.release_late),
    "restored after 1 s": restore_after(1),
    "restored after 60 s": restore_after(60),
}
"""By name. One that does not apply (a document that is not there, an ERP that does not know it) changes nothing."""
