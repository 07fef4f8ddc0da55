"""A dry run on a state that real runs left: it ends, it says what the next run will say, and it changes nothing."""

import sqlite3

import pytest

SAME = ("read", "unchanged", "held", "rejected", "failed")


def rows(stage):
    """Give every row of the flows as it is kept, with the time at which it is due."""
    with sqlite3.connect(stage.folder / ".state" / "state.sqlite") as state:
        return state.execute("SELECT pk, sk, data, due_at FROM rows WHERE pk LIKE 'f#%' ORDER BY pk, sk").fetchall()


@pytest.fixture
def released(small):
    """A state in which one held invoice was set free by a mapping, and one is held still."""
    small.invoice("12.00")
    freed, held = small.invoice("35.50", account="6999"), small.invoice("7.00", supplier="V99999")
    assert small.flows(small.ran())["invoices"]["held"] == 2
    small.ops("mappings", "set", "acme", "account", "6999", "400005")
    return small, freed, held


def test_it_ends_and_says_what_the_next_run_says(released):
    small, freed, held = released
    before = rows(small)
    dry = small.ran("--dry-run")
    assert rows(small) == before
    real = small.ran()
    for name, flow in small.flows(dry).items():
        then = small.flows(real)[name]
        assert {n: flow[n] for n in SAME} == {n: then[n] for n in SAME}, name
        assert flow["pending"] == flow["would_send"] == then["delivered"], name
    assert small.flows(dry)["invoices"] | {"amounts": 0} == {
        "read": 2,
        "delivered": 0,
        "unchanged": 0,
        "held": 1,
        "rejected": 0,
        "failed": 0,
        "pending": 1,
        "error": None,
        "would_send": 1,
        "amounts": 0,
    }
    assert [line["key"] for line in dry["held"]] == [held]
    assert len(small.posted(freed)) == 1


def test_a_tenant_in_shadow_ends_too_and_leaves_its_earlier_work(released):
    small, freed, _ = released
    small.write("settings", shadow=True)
    shadow = small.flows(small.ran())["invoices"]
    assert (shadow["read"], shadow["unchanged"], shadow["would_send"], shadow["held"]) == (2, 0, 1, 1)
    assert small.posted(freed) == []
    small.write("settings", shadow=False)
    assert small.flows(small.ran())["invoices"]["delivered"] == 1
    assert len(small.posted(freed)) == 1
