"""Posting periods: months, of which the payables know the current one and the two before."""

from __future__ import annotations

from datetime import date

LETTERS = "CPB"
"""Current, previous, before that: all that an invoice can name."""


def month_of(day: date) -> str:
    """Give the month of a day, e.g. "2026-03"."""
    return f"{day:%Y-%m}"


def back(month: str, number: int) -> str:
    """Give the month so many before this one (or after it, where negative)."""
    index = int(month[:4]) * 12 + int(month[5:]) - 1 - number
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def named(current: str, letter: str) -> str | None:
    """Give the month that C, P or B means; None for anything else."""
    return back(current, LETTERS.index(letter)) if len(letter) == 1 and letter in LETTERS else None


def split(month: str) -> tuple[int, int]:
    """Give year and period of a month."""
    return int(month[:4]), int(month[5:])
