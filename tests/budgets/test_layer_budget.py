"""What Lambda unpacks before it can start anything."""

import importlib.util
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.layer import BUDGET_MB, NoRuntime, build, runtime, size_mb
from infra.local.ministack import LOCAL_LAYER

ROOT = Path(__file__).parents[2]
UNCHECKED = 1
"""The flags of bytecode that Python takes without looking at the source's time or hash (PEP 552)."""
IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path[:0] = sys.argv[1:]
import ml_connector
for module in pkgutil.walk_packages(ml_connector.__path__, "ml_connector."):
    importlib.import_module(module.name)
import handler
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
AESGCM(bytes(32)).encrypt(bytes(12), b"sealed", b"context")
"""
NAMES = (
    "ML_TABLE",
    "ML_RECORDS_QUEUE",
    "ML_RECORDS_DLQ",
    "ML_AUDIT_BUCKET",
    "ML_KMS_KEY",
    "ML_SECRET_PREFIX",
    "ML_RUNS_QUEUE",
    "POWERTOOLS_METRICS_NAMESPACE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)
ENVIRONMENT = dict.fromkeys(NAMES, "x") | {"AWS_DEFAULT_REGION": "us-east-1", "ML_SYSTEM": "sap_b1"}


@pytest.fixture(scope="module")
def local_layer() -> Path:
    build(LOCAL_LAYER, local=True)
    return LOCAL_LAYER


@pytest.fixture(scope="module")
def lambda_python() -> str:
    try:
        return runtime()
    except NoRuntime as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def layer(lambda_python: str) -> Path:
    """What is deployed. It is built wherever its Python is: only there can it be deployed from."""
    build(ROOT / ".build/layer", local=False, python=lambda_python)
    return ROOT / ".build/layer"


def test_the_budget_is_forty_megabytes() -> None:
    assert BUDGET_MB == 40


def test_the_deployed_layer_is_within_its_budget(layer: Path) -> None:
    assert size_mb(layer) <= BUDGET_MB


def test_the_local_layer_is_within_the_same_budget(local_layer: Path) -> None:
    assert size_mb(local_layer) <= BUDGET_MB


def test_every_module_of_the_deployed_layer_has_bytecode_that_lambda_takes_as_it_is(
    layer: Path, lambda_python: str
) -> None:
    code = "import importlib.util, sys; print(importlib.util.MAGIC_NUMBER.hex(), sys.implementation.cache_tag)"
    said = subprocess.run([lambda_python, "-c", code], check=True, capture_output=True, text=True)
    magic, tag = said.stdout.split()
    assert not list(without_bytecode(layer, bytes.fromhex(magic), tag))


def test_every_module_of_the_local_layer_has_its_bytecode(local_layer: Path) -> None:
    assert not list(without_bytecode(local_layer, importlib.util.MAGIC_NUMBER, None))


def without_bytecode(layer: Path, magic: bytes, tag: str | None) -> Iterator[str]:
    """The modules that a cold start would compile."""
    sources = list((layer / "python").rglob("*.py"))
    assert len(sources) > 500
    for source in sources:
        name = importlib.util.cache_from_source(str(source))
        made = Path(name) if tag is None else source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
        if not made.is_file() or made.read_bytes()[:8] != magic + UNCHECKED.to_bytes(4, "little"):
            yield str(source.relative_to(layer))


def test_the_layer_brings_nothing_that_the_runtime_has(local_layer: Path) -> None:
    packages = {path.name for path in (local_layer / "python").iterdir()}
    assert "ml_connector" in packages
    assert not packages & {"boto3", "botocore", "s3transfer", "urllib3"}


@pytest.mark.parametrize("function", ["basware_webhook", "maintain", "poll", "write"])
def test_what_is_left_out_of_the_layer_is_missed_by_no_module(local_layer: Path, function: str) -> None:
    paths = [str(local_layer / "python"), str(ROOT / "functions" / function)]
    python = str(ROOT / ".venv-lambda/bin/python")  # boto3 and no more, as the runtime has it
    command = [python, "-I", "-c", IMPORT_ALL, *paths]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, env=ENVIRONMENT)
    assert ran.returncode == 0, ran.stderr
