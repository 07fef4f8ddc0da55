"""The walks in `docs/architecture.md` name what is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEP = re.compile(r"`([\w/]+\.py): ([\w.]+)`")


def steps() -> list[tuple[str, str]]:
    text = (ROOT / "docs/architecture.md").read_text()
    return STEP.findall(text.partition("## Two walks")[2].partition("\n## ")[0])


def names(path: Path) -> set[str]:
    """Name the functions and classes of a file, methods with their class."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return found


@pytest.mark.parametrize(("file", "name"), steps())
def test_a_step_of_a_walk_names_what_is_there(file: str, name: str) -> None:
    path = ROOT / "layers/connector/ml_connector" / file
    assert path.is_file(), f"docs/architecture.md names {file}, which is not there: name where it went"
    assert name in names(path), f"docs/architecture.md names {name} in {file}: name what it is called now"


def test_both_walks_have_steps() -> None:
    assert len(steps()) > 30


def test_what_is_not_there_is_noticed(tmp_path: Path) -> None:
    made = tmp_path / "made.py"
    made.write_text("def f(): ...\nclass A:\n    def g(self): ...")
    assert names(made) == {"f", "A", "A.g"}
