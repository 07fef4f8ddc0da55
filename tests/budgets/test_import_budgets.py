"""A cold start is an import: what a function loads before its first event is kept within bounds."""

import json
import subprocess

import pytest

from benchmarks import imports
from infra.local import layer

pytestmark = pytest.mark.timed
BUDGETS = {"basware_webhook": 1.6, "write": 2.2, "poll": 2.2, "maintain": 2.2}
TRIES = 3


@pytest.fixture(scope="module", autouse=True)
def todays_layer() -> None:
    """What is measured is what would be deployed now."""
    layer.refresh(imports.LOCAL_LAYER)


@pytest.fixture(scope="module")
def least() -> dict[str, float]:
    """The least ratio of a few measurements: a busy machine may spoil one."""
    found: dict[str, float] = {}
    for _ in range(TRIES):
        for name, ratio in imports.ratios(BUDGETS, 3).items():
            found[name] = min(ratio, found.get(name, ratio))
        if all(found[name] <= budget for name, budget in BUDGETS.items()):
            break
    return found


@pytest.mark.parametrize("function", BUDGETS)
def test_a_function_is_imported_within_its_budget(function: str, least: dict[str, float]) -> None:
    assert least[function] <= BUDGETS[function], f"{least[function]:.2f} times `import boto3` and one client"


@pytest.mark.parametrize("function", ["write", "poll", "maintain"])
def test_settings_and_vendors_are_loaded_only_when_a_tenant_needs_them(function: str) -> None:
    code = f"{imports.codes()[function]}; import json; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run(
        [imports.PYTHON, "-c", code], check=True, capture_output=True, text=True, env=imports.ENVIRONMENT
    )
    loaded = set(json.loads(ran.stdout))
    late = {"pydantic", "httpx", "cronsim", "boto3", "ml_connector.bootstrap", "ml_connector.systems.sap_b1.client"}
    assert "ml_connector.engine.runtime" in loaded
    assert not loaded & late
