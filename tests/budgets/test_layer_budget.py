"""What Lambda unpacks before it can start anything."""

from pathlib import Path

import pytest

from infra.local.layer import BUDGET_MB, size_mb

ROOT = Path(__file__).parents[2]


def test_the_budget_is_forty_megabytes() -> None:
    assert BUDGET_MB == 40


def test_the_deployed_layer_is_within_its_budget() -> None:
    layer = ROOT / ".build/layer"
    if not (layer / "python/msgspec").is_dir():
        pytest.skip("The layer is not built here; `make layer` builds it, and fails itself where it is too large.")
    assert size_mb(layer) <= BUDGET_MB


def test_the_layer_brings_nothing_that_the_runtime_has() -> None:
    layer = ROOT / ".build/layer-local"
    if not (layer / "python/msgspec").is_dir():
        pytest.skip("The local layer is not built here; `make layer-local` builds it.")
    packages = {path.name for path in (layer / "python").iterdir()}
    assert "ml_connector" in packages
    assert not packages & {"boto3", "botocore", "s3transfer", "urllib3"}
