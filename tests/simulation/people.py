"""What people do meanwhile: on the platform, with the credentials, with our settings.

What the people of an ERP do stands with that ERP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infra.sandbox.basware import notify
from infra.sandbox.basware.model import ForcedVerdict
from ml_connector.engine.ledger.mappings import Mapping
from ml_connector.engine.schedule.wake_up import release
from tests.simulation import changes, worlds
from tests.simulation.sides import Act
from tests.simulation.worlds import NOWHERE, Office, Paper

if TYPE_CHECKING:
    from ml_connector.engine.tenant_integration import TenantIntegration
    from tests.simulation.history import History


NEVER = "31st of never"


def _pick(office: Office, wanted: Callable[[Paper], bool]) -> Paper | None:
    found = [p for p in office.papers.values() if wanted(p)]
    return office.dice.choice(found) if found else None


def _status(office: Office, paper: Paper) -> str:
    return str(office.ap.documents[paper.key].status)


def _untouched(history: History, office: Office, paper: Paper) -> bool:
    """Tell whether nobody has sent this invoice anywhere: only then can people act on it without a race."""
    unsent = not changes.posts(history, office, paper) and paper.taken is None and not paper.troubles
    return _status(office, paper) == "WaitingForTransfer" and unsent


# ── the platform ─────────────────────────────────────────────────────────────────────────────────────────────


def new_invoice(history: History, office: Office) -> None:
    paper = worlds.invoice(office)
    notify.document_waiting(office.ap, office.ap.documents[paper.key])


def new_supplier(history: History, office: Office) -> None:
    """A supplier is entered, at times after the first invoice of it was approved."""
    office.edits += 1
    code = f"N{office.name[:3].upper()}{office.edits:03d}"
    if office.dice.random() < 0.5:
        history.machine.fault("world: missing parent")
        worlds.invoice(office, card=code)
        hours = office.dice.uniform(1, 12)
        history.meanwhile(hours * 3600, f"enter {code}", lambda: office.erp.enter_supplier(code))
    else:
        office.erp.enter_supplier(code)


def recall(history: History, office: Office) -> None:
    """An invoice is taken back, also one that we hold; mostly it comes again later, corrected."""
    paper = _pick(office, lambda p: _untouched(history, office, p) and not p.by_hand)
    if paper is None:
        return
    document = office.ap.documents[paper.key]
    document.record["processingStatus"] = "Returned"
    document.updated = office.ap.now()
    paper.recalled = True
    history.machine.fault("world: recalled")
    if office.dice.random() < 0.7:
        seconds = office.dice.uniform(0.2, 20) * 3600
        history.meanwhile(seconds, f"send again {paper.number}", lambda: _again(history, office, paper))


def _again(history: History, office: Office, paper: Paper) -> None:
    document = office.ap.documents[paper.key]
    untouched = not changes.posts(history, office, paper) and not (paper.by_hand or paper.troubles)
    if untouched and not paper.waits:
        _correct(document.record)
        paper.versions.append(worlds.version(document.record, office.ap.now()))
    document.record |= {"processingStatus": "WaitingForTransfer", "description": f"corrected at {office.ap.now()}"}
    document.updated = office.ap.now()
    paper.recalled = False
    notify.document_waiting(office.ap, document)


def _correct(record: dict[str, Any]) -> None:
    """Take ten cents off the first row of an invoice without tax."""
    row = record["codingRows"][0]
    if row["taxSum"] or row.get("orderNumber") or abs(row["netTotal"]) < 1:
        return
    for holder, names in ((row, ("netTotal", "grossTotal")), (record, ("netSum", "grossSum"))):
        for name in names:
            holder[name] -= Decimal("0.10")


def send_refused_again(history: History, office: Office) -> None:
    """Somebody looks at what was refused, and offers it again; only what could not be read may be refused."""
    for paper in list(office.papers.values()):
        if _status(office, paper) == "TransferFailed":
            if not paper.poisoned:
                history.wrong.append(f"{paper.number} was refused, and nothing is wrong with it")
            _again(history, office, paper)


def book_by_hand(history: History, office: Office) -> None:
    """A clerk books an invoice that waits, is held or is dead, without telling anybody."""
    paper = _pick(office, lambda p: p.fate == "post" and _untouched(history, office, p) and not p.recalled)
    if paper is None or office.erp.posted(paper):
        return
    spelt = office.dice.choice((paper.number, paper.number.lower(), paper.number.upper()))
    if not office.erp.by_hand(office, paper, spelt=spelt):
        return
    paper.by_hand = True
    history.machine.fault("world: booked by hand")


def bad_verdict(history: History, office: Office) -> None:
    """Basware's import fails for a reason of its own, comes late, or never comes to an end."""
    kind = office.dice.choice(("Vendor", "Account", "CostCenter", "MatchingOrder", "MatchingOrderLine"))
    status = office.dice.choice(("Error", "InProgress", "InProgress"))
    times = office.dice.choice((1, 3)) if status == "Error" else office.dice.choice((1, 3, 1000))
    office.ap.forced.append(ForcedVerdict(kind, status, times=times))
    history.machine.fault(
        f"world: verdict {'never' if times == 1000 else 'late' if status == 'InProgress' else status}"
    )
    history.meanwhile(office.dice.uniform(1, 30) * 3600, "verdicts are well", office.ap.forced.clear)


def poison(history: History, office: Office) -> None:
    """The platform offers a document that cannot be read: it must be told so, and stop nobody."""
    paper = _pick(office, lambda p: _untouched(history, office, p) and not p.recalled and not p.by_hand)
    if paper is None:
        return
    record = office.ap.documents[paper.key].record
    kept = record["invoiceDate"]
    if kept == NEVER:
        return  # it is so already, and somebody will fix it
    record["invoiceDate"], paper.poisoned = NEVER, True
    history.machine.fault("world: poison record")

    def mended() -> None:
        record["invoiceDate"] = kept
        paper.versions = [replace(v, dated=kept[:10]) if v.dated == NEVER[:10] else v for v in paper.versions]
        office.ap.documents[paper.key].updated = office.ap.now()

    history.meanwhile(office.dice.uniform(0.5, 6) * 3600, f"{paper.number} is mended", mended)


def sick(history: History, office: Office) -> None:
    """One document cannot be posted for 30 hours, while all others can."""
    paper = _pick(office, lambda p: _untouched(history, office, p) and not p.by_hand)
    if paper is not None:
        if office.dice.random() < 0.3:
            history.endure(timedelta(hours=30))
        office.sick[paper.number] = min(
            history.machine.now() + timedelta(hours=30), history.storm_end + timedelta(minutes=30)
        )


def heavy(history: History, office: Office) -> None:
    """One record takes more memory than there is, until an operator gives more."""
    paper = _pick(office, lambda p: p.fate == "post" and _untouched(history, office, p) and not p.by_hand)
    codes = office.erp.suppliers()
    mark = office.dice.choice(
        [f"{office.name} supplier {office.dice.choice(codes)}", *([paper.number] if paper else [])]
    )
    office.heavy.add(mark)
    history.meanwhile(office.dice.uniform(2, 20) * 3600, "more memory", lambda: office.heavy.discard(mark))


def close_period(history: History, office: Office) -> None:
    """The ERP's month is closed for a while, by mistake: nothing tells us when it is open again."""
    month = f"{history.machine.now():%Y-%m}"
    office.erp.closed_periods.add(month)
    history.machine.fault("world: period closed")
    seconds = office.dice.uniform(1, 6) * 3600
    history.meanwhile(seconds, "the period is open again", lambda: office.erp.reopen(month))


# ── credentials and settings ─────────────────────────────────────────────────────────────────────────────────


def expire_sessions(history: History, office: Office) -> None:
    office.erp.expire()
    office.platform.expire()
    history.machine.fault("sessions: expired")


def rotate(history: History, office: Office) -> None:
    """A password changes at the server; the secret follows at once, hours later, or a day later."""
    office.edits += 1
    if office.dice.random() < 0.5:
        office.erp.set_password(f"hidden-password-{office.name}-{office.edits}")
    else:
        office.ap.clients = {f"client-{office.name}": f"hidden-client-{office.name}-{office.edits}"}
        office.ap.tokens.clear()
    history.machine.fault("sessions: rotated")
    delay = office.dice.choice((0.0, 60.0, 3600.0 * 5, 3600.0 * 24))
    if delay > 3600 * 5:
        history.endure(timedelta(hours=25))
    history.meanwhile(delay, "the secret follows", lambda: _follow(history, office))


def _follow(history: History, office: Office) -> None:
    if not office.gone:
        history.plant.write_secrets(office)


def mistype(history: History, office: Office) -> None:
    """Somebody writes a wrong password for the ERP into the secret, and sees it hours or a day later."""
    if office.gone:
        return
    office.edits += 1
    if office.dice.random() < 0.5:  # while changing it: then the old one is wrong as well
        office.erp.set_password(f"hidden-password-{office.name}-{office.edits}")
    history.plant.write_secrets(office, f"hidden-mistake-{office.name}-{office.edits}")
    history.machine.fault("sessions: password mistyped")
    hours = office.dice.choice((0.1, 3, 24))
    if hours == 24 and not history.endure(timedelta(hours=25)):
        hours = 9
    history.meanwhile(hours * 3600, "the password is put right", lambda: _follow(history, office))


def move(history: History, office: Office) -> None:
    """The ERP's server or company gets another name: another identity, so a scope of its own, with the same books.

    What was done under the old name is not known under the new one; payments of it are nobody's.
    """
    system = office.erp.system
    history.plant.plain[office.name][system] = office.erp.moved(history.plant.plain[office.name][system], office.dice)
    _follow(history, office)
    for paper in office.papers.values():
        paper.forgotten = True
    office.forgotten_orders = {order.id for order in office.erp.orders()}
    history.machine.fault("sessions: identity changed")


def language(history: History, office: Office) -> None:
    """A setting that shapes what is sent changes, and nothing at the source."""
    office.language = office.dice.choice(("de-DE", "fr-FR", "en-US"))
    _follow(history, office)
    history.machine.fault("ours: settings changed")


def map_first(history: History, office: Office) -> None:
    """Map what a company's own codes need before anything moves."""
    if wanted := office.erp.mapped():
        pair = history.plant.pair(office)
        for kind, code, target in wanted:
            pair.mappings.set(Mapping(integration=pair.integration.name, kind=kind, code=code, target=target))
        pair.close()


def map_nowhere(history: History, office: Office) -> None:
    """Somebody maps the account that has none: what waits for it goes on."""
    if office.gone:
        return
    pair = history.plant.pair(office)
    map_nowhere_to(pair, office)
    pair.close()
    for paper in office.papers.values():
        if paper.waits:
            paper.fate, paper.waits = "post", ""
    office.mapped = True
    history.machine.fault("ours: mapping set")


def map_nowhere_to(pair: TenantIntegration, office: Office) -> None:
    """Map the account that no ledger has, and set going what waits for it."""
    target = office.erp.account_key(office.dice.choice(office.erp.accounts()))
    pair.mappings.set(Mapping(integration=pair.integration.name, kind="account", code=NOWHERE, target=target))
    release(pair.runtime, pair.ledger("invoices"), f"account:{NOWHERE}")


def leave(history: History, office: Office) -> None:
    """A tenant's secrets are deleted with work open; later they come back."""
    if office.gone:
        return
    office.gone = True
    for system in ("basware", office.erp.system):
        history.plant.secrets.remove(office.name, system)
    history.machine.fault("world: tenant removed")
    history.meanwhile(
        office.dice.uniform(0.2, 9) * 3600, f"{office.name} comes back", lambda: come_back(history, office)
    )


def come_back(history: History, office: Office) -> None:
    office.gone = False
    history.plant.write_secrets(office)


# ── servers and queues ───────────────────────────────────────────────────────────────────────────────────────


def outage(history: History, office: Office) -> None:
    """One system is away, for minutes, hours, a day, or five days."""
    line = history.lines[office.name, office.dice.choice(("basware", office.erp.system))]
    hours = office.dice.choice((0.2, 2, 9, 26, 120))
    if hours == 120:
        hours = 120 if history.endure(timedelta(hours=121)) else 26
    line.outage_until = history.machine.now() + timedelta(hours=hours)
    history.machine.fault("world: outage of five days" if hours == 120 else "world: outage")


def bucket_away(history: History, office: Office) -> None:
    """The bucket of the audit trail takes nothing for minutes, hours or days; the work goes on."""
    hours = office.dice.choice((0.05, 1, 9, 50))
    if hours == 50 and not history.endure(timedelta(hours=51)):
        hours = 9
    for plant in history.plants:
        plant.blobs.away_until = history.machine.now() + timedelta(hours=hours)


def purge(history: History, office: Office) -> None:
    """Delete all queues while something is at work."""

    def gone() -> None:
        lost = sum(queue.purge() for queue in history.plant.queues)
        if lost:
            history.machine.fault("ours: all queues deleted")

    history.machine.ambush(gone)


def twice(history: History, office: Office) -> None:
    """Give a message to a second worker while the first has it."""

    def again() -> None:
        if history.plant.records.again():
            history.machine.fault("queue: received twice")

    history.machine.ambush(again)


def old_hooks(history: History, office: Office) -> None:
    """An old notification comes again, and one that is forged."""
    status = history.plant.forge(office)
    history.machine.fault("world: forged webhook")
    if status not in {401, 502, 503}:  # 502: the process died
        history.wrong.append(f"a forged webhook was answered {status}")


def console(history: History, office: Office) -> None:
    """An operator moves the dead letters back from the AWS console."""
    if history.plant.records.redrive():
        history.machine.fault("ours: redriven from the console")


def deploy(history: History, office: Office) -> None:
    """A release comes with another fingerprint and another form of message; at times it is rolled back."""
    history.install(2)
    if office.dice.random() < 0.5:
        history.meanwhile(office.dice.uniform(0.1, 9) * 3600, "rollback", lambda: history.install(1))


def restore(history: History, office: Office) -> None:
    """Our state goes back to a point in mid-work, the vendors' does not. What was under way settles before we go on."""
    seconds = office.dice.uniform(1, 90)

    def point() -> None:
        saved = history.plant.store.save()
        history.after(seconds, "restore", lambda: history.restored(saved))

    history.machine.ambush(point)


ACTS: tuple[Act, ...] = (
    new_invoice, new_invoice, new_invoice, new_supplier, recall, recall, send_refused_again, book_by_hand, bad_verdict,
    bad_verdict, close_period, poison, sick, heavy, expire_sessions, rotate, rotate, mistype, move, language,
    map_nowhere, leave, outage, outage, purge, purge, twice, old_hooks, console, deploy, restore, restore,
)  # fmt: skip
HEALED_DAILY: frozenset[Act] = frozenset({bad_verdict, language, heavy, move, poison})
"""What only the daily full comparison makes good again, or an operator who comes once a day."""
