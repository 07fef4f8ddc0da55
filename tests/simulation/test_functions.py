"""What the simulation does not ask of the handlers by itself."""

import json
from datetime import timedelta

import pytest

from ml_connector.engine.ledger.rows import Chunk
from ml_connector.errors import Transient
from tests.simulation.functions import CONTEXT, FOLDER, deployed
from tests.simulation.history import History

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")


@pytest.fixture
def plant():
    history = History(5)
    history.plant.enrolled()
    return history.plant


def throttled(*_):
    raise Transient("Secrets Manager throttles.")


@pytest.fixture
def due(plant):
    """A chunk that is due now, in its ledger."""
    ledger = plant.pair(plant.offices[0]).ledger("invoices")
    place = {"tenant": ledger.tenant, "integration": ledger.integration, "flow": "invoices"}
    lane = f"alpha.{plant.offices[0].erp.system}.0"
    chunk = Chunk(
        id="one", lane=lane, run="", created=ledger.now(), seq=1, count=1, state="waiting", due_at=ledger.now(), **place
    )
    assert ledger.add(chunk)
    return chunk


def test_what_is_due_is_rung_although_secrets_cannot_be_read(plant, due, monkeypatch):
    monkeypatch.setattr(plant.secrets, "listed", throttled)
    with pytest.raises(Transient):
        plant.container("enroll").module.handler({"registry": True}, CONTEXT)
    plant.container("maintain").module.handler({}, CONTEXT)
    letter = plant.records.receive()
    assert letter is not None
    assert letter.message["id"] == due.id


def test_the_age_of_what_is_due_is_measured_by_system(plant, due, capsys, monkeypatch):
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "MlConnector")
    module = deployed("maintain")
    module.aws = plant.container("maintain").module.aws
    plant.machine.jump(plant.machine.now() + timedelta(seconds=40))
    assert module.handler({}, CONTEXT) == {"notified": 1}
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "CloudWatchMetrics" in line]
    ages = {one["system"]: one["OldestDueSeconds"] for one in told if "OldestDueSeconds" in one}
    assert ages[plant.offices[0].erp.system] == [40.0]
    assert [one["Notified"] for one in told if "Notified" in one] == [[1.0]]


def test_what_is_wrong_with_one_tenant_is_counted_for_nobody(plant, capsys):
    """What a handler prints for CloudWatch would come between the figures."""
    plant.secrets.write("alpha", "basware", "no secret")
    plant.container("maintain").enroll()
    assert capsys.readouterr().out == ""


def test_a_ring_of_another_form_is_passed_over(plant):
    worked = []
    plant.container("write").write('{"v": 99, "id": "one"}', 1, worked.append)
    assert worked == []


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir() if (path / "handler.py").exists()))
def test_two_containers_of_a_function_share_nothing(plant, name):
    first, second = plant.container(name), plant.container(name)
    assert first.module is not second.module
    assert first.module.aws is not second.module.aws


def test_what_is_logged_is_heard_also_after_a_container_was_loaded(plant):
    heard = History(5).run()
    with heard._heard():
        before = len(heard.log.lines)
        held = [heard.plant.container("write") for _ in range(4)]  # more than are idle
        held[-1].module.logger.warning("said by a handler")
        assert len(heard.log.lines) == before + 1
    assert [len(History(5).run().log.lines) for _ in range(2)] == [before, before]
