"""What is said to whoever reads the repository: links lead somewhere, named files exist, and local hooks stay local."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMED = re.compile(r"`((?:tests|infra|layers|functions|docs|benchmarks|requirements)/[\w./-]*?[\w/])`")


def anchors(page: Path) -> set[str]:
    """Name the headings as the hosting does: lower case, no punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(other), f"{page.name} links to {target}, where no heading has that name"


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md"])
def test_every_file_that_is_named_exists(name: str) -> None:
    named = NAMED.findall((ROOT / name).read_text())
    assert named
    assert not [one for one in named if not (ROOT / one).exists()]


def test_every_decision_is_in_the_index_and_says_what_follows() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    pages = sorted(page for page in folder.glob("*.md") if page.name != "README.md")
    assert len(pages) >= 8
    for page in pages:
        text = page.read_text()
        assert f"]({page.name})" in index
        assert [one for one in ("**Context.**", "**Decision.**", "**Consequences.**") if one not in text] == [], page
        assert "instead" in text, f"{page.name} does not say what else there was"


def test_hooks_run_the_tools_of_the_projects_environment_and_fetch_nothing() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    required = (ROOT / "requirements" / "dev.in").read_text().split()
    assert [one["repo"] for one in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        program = hook["entry"].split()[0]
        assert hook["language"] == "system"
        assert program.startswith(".venv/bin/")
        assert program.removeprefix(".venv/bin/") in required
        assert "additional_dependencies" not in hook
        assert not [
            word for word in hook["entry"].split() if "/" in word[1:] and not (ROOT / word).exists() and word != program
        ]


def test_check_is_lint_types_and_unit_tests_in_this_order() -> None:
    made = subprocess.run(
        ["make", "--dry-run", "--always-make", "check"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    steps = [
        made.index(word) for word in ("bin/ruff check", "bin/ruff format --check", "bin/mypy", "pytest tests/unit")
    ]
    assert steps == sorted(steps)
    assert not [word for word in ("tests/e2e", "tests/contract", "tests/simulation") if word in made]
