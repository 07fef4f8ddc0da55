"""The rules of the house that need the whole of it: no import circle, wings in one order, a class in one file."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers/connector/ml_connector"
ENGINE = "ml_connector.engine"
ORDER = (
    {"replay", "relocate", "comparison"},
    {"poll"},
    {"write"},
    {"schedule"},
    {"endpoints"},
    {"tenant_integration"},
    {"ledger"},
    {"access"},
    {"runtime"},
)
"""The parts of the engine, from the top: each may import what stands further down, and nothing else of the engine."""
LATE = {
    (
        "infra.ops.workspace",
        "infra.ops.stack",
    ): "a stack is opened only where one is named: what it needs of AWS loads slowly",
}
"""Imports inside functions that close a circle, each with its reason."""
CUT = {
    "systems/network.py": "httpx has no other way to the address that it connects to",
}
"""Files that hold a part of a class. This list only gets shorter."""


HANDED = {"source", "target"}


def modules(folder: Path, package: str) -> dict[str, Path]:
    """Give the modules of a folder by name."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = (package, *path.relative_to(folder).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def graph(folder: Path, package: str) -> dict[str, set[str]]:
    """Tell which module of a folder imports which, also inside functions; not what is only for the type checker."""
    known = modules(folder, package)
    return {name: {other for other in named(name, path, known) if other != name} for name, path in known.items()}


def named(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    here = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = here[: len(here) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield from [one for one in (f"{base}.{alias.name}", base) if one in known][:1]


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree past what is only for the type checker."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            yield node
            yield from nodes(node)


def circles(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """Find the modules that reach themselves: those that are left when all others are taken away."""
    reach = {name: set(others) for name, others in edges.items()}
    for via in edges:
        for name in [one for one, others in reach.items() if via in others]:
            reach[name] |= reach[via]
    round_trips = {name: sorted(o for o in others if name in reach[o]) for name, others in reach.items()}
    return sorted({tuple(members) for name, members in round_trips.items() if name in reach[name]})  # type: ignore[arg-type]


def upwards(edges: Mapping[str, set[str]], package: str, order: tuple[set[str], ...]) -> set[str]:
    """Name the imports between the parts of a package that lead up, or to a part that has no place yet."""
    floor = {part: level for level, parts in enumerate(order) for part in parts}

    def part(module: str) -> str | None:
        return module.removeprefix(f"{package}.").split(".")[0] if module.startswith(f"{package}.") else None

    bad = set()
    for name, others in edges.items():
        for other in others:
            one, two = part(name), part(other)
            if one and two and one != two and floor.get(one, 99) >= floor.get(two, -1):
                bad.add(f"{name} -> {other}")
    return bad


def borrowed(path: Path) -> set[str]:
    """Name what a class of a file uses of itself or of another object, that is private and stands in no class here."""
    tree = ast.parse(path.read_text())
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    anywhere = set().union(*(own(one, classes) for one in classes.values()))
    bad = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in anywhere:
            bad.add(ast.unparse(node))
    for name, one in classes.items():
        mine = own(one, classes)
        bad |= {
            f"{name}.{node.attr}"
            for node in ast.walk(one)
            if isinstance(node, ast.Attribute)
            and ast.unparse(node.value) == "self"
            and is_private(node.attr)
            and node.attr not in mine
        }
    return bad


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def own(one: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> set[str]:
    """Name what a class has by what stands in this file."""
    found = set()
    for node in ast.walk(one):
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AnnAssign(target=ast.Name(id=name))
                | ast.Name(id=name, ctx=ast.Store())
            ):
                found.add(name)
            case ast.Attribute(attr=name, value=ast.Name(id="self" | "cls"), ctx=ast.Store()):
                found.add(name)
    bases = [base.value if isinstance(base, ast.Subscript) else base for base in one.bases]
    for base in bases:
        if isinstance(base, ast.Name) and base.id in classes:
            found |= own(classes[base.id], classes)
    return found


def untyped(path: Path) -> set[str]:
    """Name the functions that hand out a source or target as anything, and what is asked whether it has a method."""
    bad = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.FunctionDef(name=name, returns=ast.Name(id="Any") | None) if name.split("_")[-1] in HANDED:
                bad.add(name)
            case ast.AnnAssign(target=target, annotation=ast.Name(id="Any")) if last(target) in HANDED:
                bad.add(ast.unparse(node))
            case ast.Call(func=ast.Name(id="hasattr" | "getattr"), args=[first, *_]) if last(first) in HANDED:
                bad.add(ast.unparse(node))
    return bad


def last(node: ast.AST) -> str:
    return ast.unparse(node).split(".")[-1]


# ── the rules ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("folder", "package"), [(LAYER, "ml_connector"), (ROOT / "infra", "infra")])
def test_no_import_goes_round(folder: Path, package: str) -> None:
    edges = graph(folder, package)
    for one, two in LATE:
        if one in edges:
            edges[one].remove(two)  # else it is an exception that nobody needs any more
    assert circles(edges) == []


def test_the_wings_of_the_engine_import_one_way() -> None:
    assert upwards(graph(LAYER, "ml_connector"), ENGINE, ORDER) == set()


def test_every_part_of_the_engine_has_its_place_in_the_order() -> None:
    parts = {path.stem for path in (LAYER / "engine").iterdir() if path.stem[0] != "_"}
    assert parts == set().union(*ORDER)


def test_a_class_lives_in_one_file() -> None:
    """What is private to a class is used in its own file: inheritance is for "is a", and never cuts a file in two."""
    found = {path.relative_to(LAYER).as_posix(): bad for path in LAYER.rglob("*.py") if (bad := borrowed(path))}
    assert found.keys() == CUT.keys(), found


def test_what_is_handed_out_has_a_type() -> None:
    """mypy proves then that each adapter fits: nothing is asked at run time whether it has a method."""
    paths = [*(LAYER / "systems").glob("*/connection.py"), LAYER / "connection.py", *(LAYER / "engine").rglob("*.py")]
    assert {path.name: bad for path in paths if (bad := untyped(path))} == {}


# ── each of them can fail ───────────────────────────────────────────────────────────────────────────────────────


def tree(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    "back",
    [
        "import p.a",
        "from p import a",
        "from p.a import x",
        "from . import a",
        "from .a import x",
        "def f():\n    from .a import x",
    ],
)
def test_a_circle_is_found_however_it_is_written(tmp_path: Path, back: str) -> None:
    folder = tree(tmp_path, a="from p.b import y\nx = 1", b="from p.c import z", c=back)
    assert circles(graph(folder, "p")) == [("p.a", "p.b", "p.c")]


@pytest.mark.parametrize(
    "forth",
    ["", "import q", "from q import a", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.a import x"],
)
def test_what_does_not_go_round_is_no_circle(tmp_path: Path, forth: str) -> None:
    folder = tree(tmp_path, a="from p.b import y\nx = 1", b="from p.c import z", c=forth)
    assert circles(graph(folder, "p")) == []


def test_relative_imports_of_packages_are_followed(tmp_path: Path) -> None:
    folder = tree(tmp_path, top="from .low import one", low____init__="", low__one="from .. import top")
    assert circles(graph(folder, "p")) == [("p.low.one", "p.top")]


@pytest.mark.parametrize(
    ("low", "bad"),
    [
        ("from p.e.base.one import x", set()),
        ("from p.e.high.one import x", {"p.e.low.one -> p.e.high.one"}),
        ("from p.e.new import x", {"p.e.low.one -> p.e.new"}),
        ("from p.other import x", set()),
    ],
)
def test_an_import_that_leads_up_is_found(tmp_path: Path, low: str, bad: set[str]) -> None:
    folder = tree(tmp_path, e__high__one="", e__low__one=low, e__base__one="", e__new="", other="")
    assert upwards(graph(folder, "p"), "p.e", ({"high"}, {"low"}, {"base"})) == bad


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("class A(B):\n    def f(self):\n        return self._g()", {"self._g", "A._g"}),
        ("def f(paper):\n    return paper._sent", {"paper._sent"}),
        ("class A:\n    def f(self):\n        return self._g()\n    def _g(self): ...", set()),
        ("class A:\n    def _g(self): ...\nclass B(A):\n    def f(self):\n        return self._g()", set()),
        ("class A:\n    def _g(self): ...\nclass B:\n    def f(self):\n        return self._g()", {"B._g"}),
        ("class A:\n    _x: int\n    def __init__(self):\n        self._y = self._x + self._y", set()),
        ("class A:\n    def __eq__(self, other):\n        return self._x == other._x\n    _x = 1", set()),
    ],
)
def test_a_class_in_two_files_is_found(tmp_path: Path, text: str, bad: set[str]) -> None:
    assert borrowed(tree(tmp_path, m=text) / "m.py") == bad


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("def source(self) -> Any: ...", {"source"}),
        ("def master_target(self): ...", {"master_target"}),
        ("def source(self) -> Source: ...", set()),
        ("class A:\n    def f(self, x):\n        self.target: Any = x", {"self.target: Any = x"}),
        ("x = hasattr(source, 'reread')", {"hasattr(source, 'reread')"}),
        ("x = getattr(self.case.source, 'answers', False)", {"getattr(self.case.source, 'answers', False)"}),
        ("x = hasattr(record, 'gross')", set()),
    ],
)
def test_what_is_handed_out_without_a_type_is_found(tmp_path: Path, text: str, bad: set[str]) -> None:
    assert untyped(tree(tmp_path, m=text) / "m.py") == bad
