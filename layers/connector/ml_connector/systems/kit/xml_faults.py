"""What an answer in XML refuses: errors below the fields that they are about, counts of what was not taken.

The words stand anywhere, and in any case; a count may be absent, which says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from ml_connector.systems.http import Reply
from ml_connector.systems.kit.faults import LONGEST_CODE, WORDS, Fault
from ml_connector.systems.kit.xml import below, name_of, text_of


@dataclass(frozen=True, slots=True)
class Marks:
    """What elements are called. Counts: `invalid` of what was refused, `stopped` for warnings alone, `taken`."""

    invalid: tuple[str, ...]
    stopped: str
    taken: tuple[str, ...]
    number: str = "ErrorNumber"
    description: str = "ErrorDescription"
    value: str = "Value"
    warning: str = "WarningDescription"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a business object made of a document that it took."""

    root: Element

    def first(self, name: str) -> str:
        """Give the first text of a name, wherever it stands and whatever its case; empty where there is none."""
        return next((told for _, one in below(self.root, name) if (told := (one.text or "").strip())), "")


def refusal_in(root: Element, reply: Reply, marks: Marks) -> Fault | None:
    """Find what was refused; None where everything was taken. Warnings refuse where nothing is counted as taken."""
    fields: dict[str, None] = {}
    numbers, words = list[str](), dict[str, None]()
    for inside, one in (*below(root, marks.description), *below(root, marks.number)):
        told = (one.text or "").strip()
        if not told.strip("0"):
            continue
        where = inside[-1] if inside else root
        fields[name_of(where)] = None
        if name_of(one) == marks.number.lower():
            numbers.append(told)
        else:
            value = text_of(where, marks.value).strip()
            words[f"{where.tag}{f' {value}' if value else ''}: {told}"] = None
    warned = {told: None for _, one in below(root, marks.warning) if (told := (one.text or "").strip())}
    if fields or any(count(root, name) for name in marks.invalid):
        return _fault(reply, numbers, [*words, *warned], tuple(fields), warnings=False)
    if count(root, marks.stopped) or (warned and not any(count(root, name) for name in marks.taken)):
        return _fault(reply, numbers, list(warned), (), warnings=True)
    return None


def _fault(reply: Reply, numbers: list[str], words: list[str], fields: tuple[str, ...], *, warnings: bool) -> Fault:
    text = reply.clean(" · ".join(" ".join(one.split()) for one in words) or "it counts an invalid item, without words")
    code = reply.clean(numbers[0])[:LONGEST_CODE] if numbers else ""
    return Fault(reply.status, code, text[:WORDS], fields=fields, warnings=warnings)


def count(root: Element, name: str) -> int:
    """Add up a count, however many digits it has; 0 where there is none."""
    told = [(one.text or "").strip() for _, one in below(root, name)]
    return sum(int(one) for one in told if one.isdecimal())
