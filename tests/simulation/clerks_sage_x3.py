"""People who work in the simulated Sage X3, or edit in the platform what comes from there."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, cast

from infra.sandbox import sage_x3
from infra.sandbox.basware.model import Row
from infra.sandbox.sage_x3 import back_office
from infra.sandbox.sage_x3.seed import POOL
from tests.simulation.logins_sage_x3 import pair_again
from tests.simulation.sides import EDITED

if TYPE_CHECKING:
    from tests.simulation.erp_sage_x3 import SageX3
    from tests.simulation.history import History
    from tests.simulation.worlds import Office


def _world(office: Office) -> sage_x3.World:
    return cast("SageX3", office.erp).world


def rename_supplier(history: History, office: Office) -> None:
    """A supplier changes."""
    office.edits += 1
    history.machine.fault(EDITED)
    code = office.dice.choice(office.erp.suppliers())
    back_office.change(
        _world(office), "BPSUPPLIER", {"BPSNUM": code, "BPSNAM": f"{office.name} renamed {office.edits}"}
    )


def rename_account(history: History, office: Office) -> None:
    """An account gets another text."""
    office.edits += 1
    row = office.dice.choice(_world(office).rows("GACCOUNT"))
    key = {"COA": row["COA"], "ACC": row["ACC"]}
    back_office.change(_world(office), "GACCOUNT", key | {"DES": f"{office.name} text {office.edits} renamed"})


def rename_center(history: History, office: Office) -> None:
    """A cost center gets another name in X3."""
    office.edits += 1
    row = office.dice.choice(_world(office).rows("CACCE"))
    name = f"{office.name} center {office.edits} renamed"
    back_office.change(_world(office), "CACCE", {"DIE": row["DIE"], "CCE": row["CCE"], "DES": name})


def edit_center(history: History, office: Office) -> None:
    """Somebody gives a cost center another name in the platform."""
    centers, shown = office.ap.entities.get("costCenters", {}), office.ap.imported.get("costCenters", {})
    names = "costCenterNames"  # people see what was imported, and what waits for it would lie over their edit
    there = [key for key in sorted(centers) if key in shown and shown[key][names] == centers[key].record[names]]
    if not there or office.centers_late:
        return
    office.edits += 1
    key = office.dice.choice(there)
    record, name = centers[key].record, f"{office.name} center {office.edits} by hand"
    centers[key] = Row(
        {**record, names: [{**one, "translation": name} for one in record[names]]}, office.ap.now(), "p2p"
    )
    shown[key] = centers[key].record
    office.hand_edits[record["costCenterCode"]] = name
    history.machine.fault("world: a cost center edited in the platform")


def new_order(history: History, office: Office) -> None:
    cast("SageX3", office.erp).enter_order(office.dice.choice(office.erp.suppliers()), office.dice)


def receive_goods(history: History, office: Office) -> None:
    world = _world(office)
    lines = [o for o in sage_x3.order_lines(world) if o.open and o.quantity > o.received_quantity]
    if lines:
        one = office.dice.choice(lines)
        left = one.quantity - one.received_quantity
        back_office.receive(world, one.order_number, {one.line_number: max(Decimal(1), left // 2)})


def stop_pool(history: History, office: Office) -> None:
    """The pool of web services stops, or all processes, until somebody starts them again."""
    world = _world(office)
    history.machine.fault("world: no web service runs")
    if office.dice.random() < 0.5:
        world.pools.discard(POOL)
    else:
        world.children = 0

    def start() -> None:
        world.pools.add(POOL)
        world.children = 2

    history.meanwhile(office.dice.uniform(0.2, 5) * 3600, "web services run again", start)


ACTS = (
    rename_supplier, rename_supplier, rename_account, rename_center, rename_center, edit_center, new_order,
    receive_goods, receive_goods, stop_pool, pair_again, pair_again,
)  # fmt: skip
