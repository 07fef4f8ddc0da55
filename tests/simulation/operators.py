"""What operators do in the calm: they ping, take up again what was given up, and judge what only a person can judge."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from ml_connector.engine import replay
from ml_connector.engine.ledger.rows import Decision
from ml_connector.engine.write import retry
from ml_connector.engine.write.enrichment import ALARM
from ml_connector.errors import Transient
from tests.simulation import changes, people
from tests.simulation.checker import DEATHS, throttles
from tests.simulation.logins_sage_x3 import pair_again
from tests.simulation.sides import EDITED
from tests.simulation.troubles import fits
from tests.simulation.worlds import NOWHERE, Office, Paper

if TYPE_CHECKING:
    from ml_connector.engine.tenant_integration import TenantIntegration
    from tests.simulation.history import History

PATIENCE = timedelta(hours=3, minutes=20)
"""For so long nobody judges what the ERP has taken: it may show late."""


def operate(history: History) -> None:
    """Ping, redrive what is dead, replay what only a person can judge, map again; users send refused invoices again."""
    for office in history.offices:
        if office.gone:
            continue
        pair_again(history, office)
        pair = history.plant.pair(office)
        if office.mapped and pair.mappings.get("account", NOWHERE) is None:
            people.map_nowhere_to(pair, office)  # a restore took it away
        for system, breaker in pair.breakers.items():
            if breaker._data().get("refused") == breaker._version:
                breaker.reset()
                history.lines[office.name, system].refused.clear()
        for flow in pair.integration.flows:
            _redrive(history, pair, flow.name)
        people.send_refused_again(history, office)
        judge_held(history, office, pair)
        pair.close()
    history.plant.records.dead.clear()


def _redrive(history: History, pair: TenantIntegration, flow: str) -> None:
    """Take up again what was given up, which must have had a ground; and look at what only a person can judge."""
    ledger, faults = pair.ledger(flow), history.machine.faults
    grounds = {
        "crashed": [*DEATHS, *throttles(history)],
        ALARM: [EDITED],
        "exhausted": [kind for kind in faults if kind.startswith(("wire: ", "world: one document sick"))],
    }
    for chunk in list(ledger.unfinished()):
        if chunk.state == "failed":
            early = chunk.cause == "exhausted" and chunk.failures < retry.EXHAUSTED
            if early or not any(faults[kind] for kind in grounds.get(chunk.cause or "", ())):
                history.wrong.append(f"{flow} {chunk.id} was given up ({chunk.cause}): {chunk.reason}")
            replay.reopen(ledger, chunk.id, "redriven")
        elif (chunk.waiting_for or "").startswith("lookup:"):
            with suppress(Exception):
                replay.retry_now(ledger, chunk.id, "looked at")


def judge(history: History) -> None:
    """Look at what is held for a person's judgement, and do nothing else."""
    for office in history.offices:
        if not office.gone:
            pair = history.plant.pair(office)
            judge_held(history, office, pair)
            pair.close()


# ── what only a person can judge ─────────────────────────────────────────────────────────────────────────────


def judge_held(history: History, office: Office, pair: TenantIntegration) -> None:
    """Look at each invoice that is held for a person's judgement, and judge it by what is true."""
    chunks = {chunk.key: chunk for chunk in pair.ledger("invoices").unfinished()}
    for paper in list(office.papers.values()):
        chunk = chunks.get(paper.key)
        waits = (chunk.waiting_for or "") if chunk is not None else ""
        asked = chunk is not None and waits.startswith(("conflict:", "lookup:", "approval:"))
        settled = history.machine.now() - max(paper.taken or history.storm_end, history.storm_end) > PATIENCE
        doubted = paper.by_hand or bool(paper.troubles) or waits.startswith("lookup:")
        if chunk and asked and settled and doubted and not office.erp.drafts(paper) and not paper.recalled:
            _judge(history, office, pair, paper, chunk.reason or "")


def _judge(history: History, office: Office, pair: TenantIntegration, paper: Paper, held: str) -> None:
    posted = office.erp.posted(paper)
    if len(posted) > 1:
        return  # that is for the checker
    version = paper.versions[-1]
    right = [p for p in posted if fits(office, p, version) and p.supplier == office.partner(version.supplier)]
    if right:
        _say(history, pair, paper, "match", right[0].number)
    elif posted and office.erp.cancel(posted[0]):
        paper.taken = None
        _go_on(history, pair, paper)
    elif posted:
        _say(history, pair, paper, "match", posted[0].number)
    elif "has been cancelled in" in held or "does not show it" in held:  # and it is not there: somebody looked
        _say(history, pair, paper, "post", "")
    elif paper.troubles and not paper.troubles.keys() & {"twin", "anew", "taken", "cancelled"}:
        _go_on(history, pair, paper)
    elif office.erp.one_number and paper.troubles.keys() & {"twin", "anew"}:
        changes.give_another_number(history, office, paper)  # the ERP lets no second one in, whoever says so
        _say(history, pair, paper, "post", "")
    else:
        _say(history, pair, paper, "post", "")


def _go_on(history: History, pair: TenantIntegration, paper: Paper) -> None:
    with suppress(Transient):
        replay.replay(pair, pair.integration.flow("invoices"), paper.key, "looked at")


def _say(history: History, pair: TenantIntegration, paper: Paper, what: Literal["match", "post"], number: str) -> None:
    """Decide as `ml-connector resolve` does."""
    ledger = pair.ledger("invoices")
    decision = Decision(what=what, number=number, by="somebody", at=ledger.now())
    with suppress(Transient):
        if replay.decide(ledger, paper.key, decision, "decided by somebody") is not None:
            paper.decided = True
            history.machine.fault(f"ours: resolved by a person, {what}")
