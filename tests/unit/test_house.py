"""The rules of the house: which part may know which, and how long a file may be."""

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ml_connector.systems.registry import BY_NAME, SYSTEMS, VENDORS, module

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers/connector/ml_connector"
SHARED = {"http", "settings", "decode_errors", "kit"}
"""What a vendor may import of `systems` besides its own folder."""
LOW = {
    "connection",
    "deadline",
    "enrichment",
    "pages",
    "ports",
    "currencies",
    "flow",
    "folding",
    "follow_up",
    "master_target",
    "records",
    "errors",
    "http_log",
    "redact",
    "context",
}


def imports(path: Path) -> set[str]:
    """Name the modules that a file imports, also inside functions; type-checking imports do not count."""
    tree = ast.parse(path.read_text())
    hidden = {
        id(n)
        for b in ast.walk(tree)
        if isinstance(b, ast.If) and "TYPE_CHECKING" in ast.dump(b.test)
        for n in ast.walk(b)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
    return found


def files(part: str) -> list[Path]:
    return sorted((PACKAGE / part).rglob("*.py"))


def test_the_engine_knows_no_vendor_no_cloud_and_no_http():
    for path in files("engine"):
        bad = {
            m
            for m in imports(path)
            if m.startswith(
                (
                    "boto3",
                    "botocore",
                    "httpx",
                    "ml_connector.aws",
                    "ml_connector.embedded",
                    "ml_connector.systems",
                    "ml_connector.bootstrap",
                    "ml_connector.integrations",
                )
            )
        }
        assert not bad, f"{path.name} imports {bad}"


def test_the_low_modules_know_nothing_above_them():
    for name in LOW:
        bad = {
            m
            for m in imports(PACKAGE / f"{name}.py")
            if m.startswith("ml_connector.") and m.split(".")[1] not in LOW | {"__version__"}
        }
        assert not bad, f"{name} imports {bad}"


@pytest.mark.parametrize(
    "vendor",
    sorted(p.name for p in (PACKAGE / "systems").iterdir() if p.is_dir() and p.name[0] != "_" and p.name != "kit"),
)
def test_a_vendor_never_imports_another(vendor):
    for path in files(f"systems/{vendor}"):
        others = {
            m
            for m in imports(path)
            if m.startswith("ml_connector.systems.") and m.split(".")[2] not in {vendor, *SHARED}
        }
        assert not others, f"{path} imports {others}"


def test_the_kit_imports_no_vendor():
    for path in files("systems/kit"):
        others = {m for m in imports(path) if m.startswith("ml_connector.systems.") and m.split(".")[2] not in SHARED}
        assert not others, f"{path} imports {others}"


def words(path: Path) -> set[str]:
    """List a file's names and texts in lower case, without what is said to readers: comments and docstrings."""
    tree, said = ast.parse(path.read_text()), set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) or (
            isinstance(node, ast.If) and isinstance(node.test, ast.Name)
        ):
            said |= {id(one.value) for one in node.body if isinstance(one, ast.Expr)}
    found = set(imports(path))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            found.add(node.value)
        found |= {
            str(getattr(node, name))
            for name in ("id", "attr", "name", "arg")
            if isinstance(node, ast.AST) and isinstance(getattr(node, name, None), str)
        }
    return {word.lower() for word in found}


def test_only_a_vendors_folder_its_integrations_and_the_registry_name_a_vendor():
    """What the rest must know of a vendor is a field of its `VendorSpec`."""
    names = {spelling for vendor in VENDORS for spelling in (vendor.name, vendor.title.lower())}
    own = {"registry.py", *(vendor.name for vendor in VENDORS)}
    for path in PACKAGE.rglob("*.py"):
        inside = path.relative_to(PACKAGE).parts
        if inside[0] == "integrations" or (inside[0] == "systems" and inside[1] in own):
            continue
        named = {word for word in words(path) for name in names if name in word}
        assert not named, f"{path} names {named}"


def test_each_vendor_with_a_folder_is_in_the_registry_and_the_other_way_round():
    folders = {p.name for p in (PACKAGE / "systems").iterdir() if p.is_dir() and p.name[0] != "_" and p.name != "kit"}
    assert folders == set(SYSTEMS) and all(BY_NAME[name].module.endswith(f".{name}") for name in folders)


def test_what_the_registry_says_of_a_secret_is_a_field_of_it():
    for name in SYSTEMS:
        assert BY_NAME[name].shapeless <= module(name).Settings.model_fields.keys(), name


def test_the_product_never_imports_what_surrounds_it():
    for path in PACKAGE.rglob("*.py"):
        assert not {m for m in imports(path) if m.split(".")[0] in {"infra", "functions", "tests"}}, path


def test_the_command_line_imports_itself_relatively():
    """The folder `infra` is installed as `ml_connector_cli`: under its own name nothing would find it there."""
    for path in (ROOT / "infra").rglob("*.py"):
        tree = ast.walk(ast.parse(path.read_text()))
        named = [
            node.module if isinstance(node, ast.ImportFrom) and not node.level else alias.name
            for node in tree
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
            if isinstance(node, ast.Import) or not node.level
        ]
        bad = {module for module in named if module and module.split(".")[0] == "infra"}
        assert not bad, f"{path} imports {bad}: write `from .module import name`, or `from ..folder.module import name`"


def test_every_package_is_installed():
    """A folder that is not named in pyproject.toml is missing from the wheel."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {
        ".".join((package, *init.parent.relative_to(ROOT / folder).parts))
        for package, folder in named["package-dir"].items()
        for init in (ROOT / folder).rglob("__init__.py")
    }
    assert set(named["packages"]) == folders


def test_integrations_are_tables():
    for path in files("integrations"):
        assert not [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, (ast.If, ast.FunctionDef))], path


@pytest.mark.parametrize("folder", ["layers", "infra", "functions"])
def test_no_file_is_longer_than_one_sitting(folder):
    long = {str(p): n for p in (ROOT / folder).rglob("*.py") if (n := len(p.read_text().splitlines())) > 400}
    assert not long


def test_the_webhook_imports_no_http_client_and_no_vendor_adapter():
    code = "import sys, json; import ml_connector.receive; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(PACKAGE.parent)},
    )
    loaded = set(json.loads(ran.stdout))
    assert not loaded & {"httpx", "boto3", "pydantic", "ml_connector.systems.basware.client", "ml_connector.bootstrap"}
