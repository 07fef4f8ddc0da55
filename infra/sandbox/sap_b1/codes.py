"""Checks of the codes that a document line names: account, cost centre, VAT group, item."""

from __future__ import annotations

from decimal import Decimal

from .errors import rule_broken
from .fields import Record
from .world import World

COSTING_CODES = {1: "CostingCode", 2: "CostingCode2", 3: "CostingCode3", 4: "CostingCode4", 5: "CostingCode5"}


def check_account(world: World, code: str | None, row: int) -> None:
    """The account exists under its Code (not its FormatCode), takes postings, and takes manual ones."""
    where = f"[AccountCode][line: {row}]"
    account = world.tables["ChartOfAccounts"].get(code)
    if not code or account is None:
        raise rule_broken(f"Invalid G/L account '{code or ''}' {where}")
    if account.get("ActiveAccount") != "tYES":
        raise rule_broken(f"Account '{code}' is a title account; specify an active account {where}")
    if "tYES" in (account.get("LockManualTransaction"), account.get("BlockManualPosting")):
        raise rule_broken(f"Account '{code}' is locked for manual transactions {where}")
    if not counts(account, "ValidFor", "FrozenFor", world.today()):
        raise rule_broken(f"Account '{code}' is inactive {where}")


def counts(record: Record, valid: str, frozen: str, day: str) -> bool:
    """Whether a partner or account is active: `valid` and `frozen` name the two flags, each with a period."""
    if record.get(frozen) == "tYES" and _within(record, "Frozen", day):
        return False
    return record.get(valid) != "tYES" or _within(record, "Valid", day)


def _within(record: Record, name: str, day: str) -> bool:
    return (record.get(f"{name}From") or day) <= day <= (record.get(f"{name}To") or day)


def check_cost_centres(world: World, line: Record, day: str, row: int) -> None:
    """Each costing code is an active, effective centre of the dimension that its property stands for."""
    for dimension, name in COSTING_CODES.items():
        code = line.get(name)
        if not code:
            continue
        centre = world.tables["ProfitCenters"].get(code)
        if centre is None or centre["InWhichDimension"] != dimension:
            raise rule_broken(f"Invalid distribution rule '{code}' for dimension {dimension} [{name}][line: {row}]")
        if centre.get("Active") != "tYES" or not _effective(centre, day):
            raise rule_broken(f"Distribution rule '{code}' is inactive [{name}][line: {row}]")


def _effective(centre: Record, day: str) -> bool:
    return (centre.get("EffectiveFrom") or day) <= day <= (centre.get("EffectiveTo") or day)


def tax_percent(world: World, code: str | None, day: str, row: int) -> Decimal:
    """The percentage of an input VAT group on `day`; no group, no tax."""
    if not code:
        return Decimal(0)
    group = world.tables["VatGroups"].get(code)
    if group is None or group.get("Category") != "bovcInputTax" or group.get("Inactive") == "tYES":
        raise rule_broken(f"Invalid tax group '{code}' [VatGroup][line: {row}]")
    rates = [one for one in group["VatGroups_Lines"] if one["Effectivefrom"] <= day]
    return max(rates, key=lambda one: one["Effectivefrom"])["Rate"] if rates else Decimal(0)


def reversed_groups(world: World) -> set[str]:
    """The groups whose tax is booked and taken back again (`AcquisitionReverse`)."""
    return {code for code, group in world.tables["VatGroups"].items() if group.get("AcquisitionReverse") == "tYES"}


def check_item(world: World, code: str | None, row: int) -> None:
    """The line names an item of the company (`World.items`; an empty set knows every item)."""
    if not code:
        raise rule_broken(f"Item number is missing; specify an item number [DocumentLines.ItemCode][line: {row}]")
    if world.items and code not in world.items:
        raise rule_broken(f"Invalid item number '{code}' [DocumentLines.ItemCode][line: {row}]")
