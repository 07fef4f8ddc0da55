"""The rules of the house for what belongs to one vendor outside of the product: its simulated server and its own tests.

`simulator_budgets.json` has the lines of each. A number may only fall: `python -m tests.unit.test_house_simulators`
writes lower ones, and refuses higher ones. What two simulated servers share stands in `infra/sandbox/kit`; a test that
holds of any vendor stands in `tests/contract/conformance`, and costs the next vendor nothing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.unit.test_house_vendors import over

ROOT = Path(__file__).parents[2]
BUDGETS = Path(__file__).with_name("simulator_budgets.json")
NEW = {"simulated": 4_500, "tests": 6_500}
"""What a vendor may take that is not written down yet."""


def vendors() -> list[str]:
    folders = (ROOT / "infra/sandbox").iterdir()
    return sorted(p.name for p in folders if p.is_dir() and p.name not in {"kit", "__pycache__"})


def files_of(vendor: str) -> dict[str, list[Path]]:
    """Its simulated server, and the tests that are about it alone."""
    tests = ROOT / "tests"
    own = [tests / "unit" / vendor, tests / "contract" / vendor, tests / "contract" / f"sandbox_{vendor}"]
    return {
        "simulated": [*(ROOT / "infra/sandbox" / vendor).rglob("*.py")],
        "tests": [path for folder in own for path in folder.rglob("*.py")],
    }


def size(vendor: str) -> dict[str, int]:
    """Count lines in hundreds, so that a comment more is none of anybody's business."""
    lines = {
        what: sum(len(f.read_text("utf-8").splitlines()) for f in files) for what, files in files_of(vendor).items()
    }
    return {what: -(-count // 100) * 100 for what, count in lines.items()}


each = pytest.mark.parametrize("vendor", vendors())


@each
def test_neither_a_simulated_server_nor_a_vendors_own_tests_grow(vendor: str) -> None:
    assert not over(size(vendor), json.loads(BUDGETS.read_text()).get(vendor, NEW)), f"what is of {vendor} has grown"


@each
def test_what_is_counted_is_there(vendor: str) -> None:
    assert files_of(vendor)["simulated"] and files_of(vendor)["tests"]


def test_no_budget_is_kept_for_a_vendor_that_is_gone() -> None:
    assert not json.loads(BUDGETS.read_text()).keys() - set(vendors())


def test_a_line_too_many_is_told() -> None:
    assert over({"simulated": 3, "tests": 5}, {"simulated": 2, "tests": 5}) == ["3 simulated, and 2 at most"]


def main() -> int:
    """Write lower numbers; refuse higher ones. A vendor named as an argument is written down for the first time."""
    budgets = json.loads(BUDGETS.read_text())
    for vendor in sorted({*budgets, *sys.argv[1:]}):
        found = size(vendor)
        if grown := over(found, budgets.get(vendor, found)):
            print(f"{vendor}: {'; '.join(grown)}")
            return 1
        budgets[vendor] = found
    BUDGETS.write_text(json.dumps(budgets, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
