"""The words that people read: terms that mean something else to an accountant or an operator do not come back.

Read are the messages of the product (string literals with a space in them, without docstrings, but with the docstrings
of commands, which are their help), the descriptions in the template, and the documentation's prose. Not read are

- `infra/sandbox`, which speaks for the vendors, and the layout of HTML and SQL;
- code in the documentation: fenced blocks repeat messages, and names in backquotes are public or code names;
- words whose other sense is as frequent and right: "people", "text", "place", "stand", "books" and "scope" (OAuth has
  them), "half" as a number, "answered" of a server, "letter" of the alphabet; likewise "at once" of things at the same
  time, a batch that "does not balance", an amount that "no ledger can hold", and SAP's "business partner";
- "source system" where any of them can be meant, TARGET, which is an argument of commands, and "coding rows", which is
  Basware's term;
- in the documentation "row", "source" and "target": a table has rows, and architecture.md says what the two mean.

A reason why an invoice is rejected is read inside Basware, by people who have no command line and no folder of ours.

`words_left.json` says how often each word is left. A number may only fall: `python -m tests.unit.test_words` writes
lower ones, and refuses higher ones.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.local.package import load_template

ROOT = Path(__file__).parents[2]
LEFT = Path(__file__).with_name("words_left.json")
WORDS = {
    # in place of: what to say
    r"settl(?:e|es|ed|ing)": "complete, completed",
    r"(?<!general )(?<!any )(?<!no )ledgers?": "state store",
    r"(?<!does not )(?<!batch )balances?": "control totals; reconciles",
    r"dead letters?|letters? (?:is|are) (?:in|on)": "DLQ message; failed record",
    r"(?<!business )partners?(?! commerciale)": "supplier",
    r"the (?:platform|other side)": "the system's name, such as Basware",
    r"mend(?:s|ed|ing)?": "fix, resolve",
    r"rings?|rung|ringing": "wake-up message, notify, queue",
    r"go(?:es|ing)? on (?:by (?:itself|themselves)|(?:its|their) way)": "resumes automatically",
    r"(?:on|under) (?:its|their) way": "is queued",
    r"(?<!connections )(?<!requests )at once(?! more)": "immediately",
    r"has no counterpart": "is not mapped",
    r"(?:offer|offered|offers) again|no longer offered": "transfer again; no longer available for transfer",
    r"half a pair|(?:its|the) other half|lonely": "incomplete: the secret for X is missing",
    r"pairs?": "integration, connection",
    r"roster": "tenant registry",
    r"desk|codebook|legible|shredding|crew|lap|clerks?|scene": "context, mapping import, formatting, purge, …",
    r"(?:on board|in the dark|in earnest)": "onboard; dry run or shadow mode; live",
    r"retry_now(?:s|ed)?|next look|looked at again": "retry now; next retry",
    r"switch(?:es|ed|ing)?(?: \w+){0,3} off": "deactivate",
    r"vanish(?:es|ed|ing)?": "deleted at, or missing from, the source system",
    r"doors?|login is closed|(?:is|are) away": "circuit breaker; login suspended; unavailable",
    r"parked": "deferred",
    r"verdicts?": "processing result; request status",
    r"(?<!in )doubts?": "unknown outcome; in doubt",
    r"epochs?": "configuration version",
    r"sheets?|rolls?(?! back)": "run totals; seen keys",
    r"anew": "again, from scratch",
    r"beside": "in addition, next to",
    r"chain (?:of attempts )?is whole": "audit trail verified",
    r"giv(?:en|es|ing) up|gave up": "failed permanently",
    r"told(?! apart)|said": "reported to, confirmed to; response",
    r"overtak(?:en|es|ing)": "superseded",
    r"adopt(?:s|ed|ing)?": "match to the existing document",
    r"taint(?:s|ed)?|weakenings?|ma(?:de|kes) good|the house|the calm|dice": "mark for resend, safeguard removed, …",
    r"stamps?": "last-modified timestamp",
    r"is no (?:date|valid|time zone|web address|folder)": "is not a …",
    r"small letters|capitals|blanks?|whole numbers?": "lower case; upper case; space; integer",
    r"faults? of ours": "internal error",
    r"residues?": "rounding difference",
    r"(?:cost|profit) centres?": "cost center, as everywhere in the messages",
}
IN_MESSAGES = {
    r"(?<!coding )rows?": "invoice lines, coding rows (of an invoice)",
    r"(?-i:sources?(?! systems?)|targets?)": "the system's name, such as SAP Business One",
}


@cache
def messages() -> tuple[tuple[str, str], ...]:
    """Give (file, text) of what the program can say."""
    return tuple(_messages())


def _messages() -> Iterator[tuple[str, str]]:
    for folder in ("layers", "infra", "functions"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "sandbox" not in path.relative_to(ROOT).parts[:2]:
                name = str(path.relative_to(ROOT))
                yield from ((name, text) for text in literals(ast.parse(path.read_text())))
    template = ROOT / "template.yaml"
    yield from (("template.yaml", text) for text in descriptions(load_template(template)))


def literals(tree: ast.Module) -> Iterator[str]:
    """Give the string literals that can be sentences; an f-string is one, with `{}` for each value."""
    passed = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and is_command(node):
            yield ast.get_docstring(node) or ""
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))  # a docstring
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            text = node.value
        else:
            continue
        if " " in text and not re.search(r"\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE)\b|</\w+>", text):
            yield text


def is_command(node: ast.FunctionDef) -> bool:
    """Tell whether a function is a command, so that its docstring is shown to whoever asks for help."""
    return "Example: ml-connector" in (ast.get_docstring(node) or "")


def descriptions(template: Any) -> Iterator[str]:
    """Give what the template says to people: in the console, and in the mail of an alarm."""
    if isinstance(template, dict):
        for key, value in template.items():
            if key in {"Description", "AlarmDescription"}:
                yield value if isinstance(value, str) else json.dumps(value)
            else:
                yield from descriptions(value)
    elif isinstance(template, list):
        for one in template:
            yield from descriptions(one)


def prose() -> Iterator[tuple[str, str]]:
    """Give (file, text) of the documentation, without its code."""
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]):
        text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
        yield str(path.relative_to(ROOT)), re.sub(r"`[^`]*`|\]\([^)]*\)", "", text)


@cache
def found() -> dict[str, dict[str, list[str]]]:
    """Give, by kind and word, where it stands: `file: … the words around it …`."""
    where: dict[str, dict[str, list[str]]] = {"messages": {}, "docs": {}}
    for kind, texts, words in (("messages", messages(), WORDS | IN_MESSAGES), ("docs", prose(), WORDS)):
        for name, text in texts:
            flat = " ".join((re.sub(r"`[^`]*`", "", text) if kind == "messages" else text).split())
            for word in words:
                for hit in re.finditer(rf"(?<![\w{{-])(?:{word})(?![\w-])", flat, re.IGNORECASE):
                    around = flat[max(0, hit.start() - 40) : hit.end() + 40]
                    where[kind].setdefault(word, []).append(f"{name}: …{around}…")
    return where


def counts() -> dict[str, dict[str, int]]:
    return {kind: {word: len(places) for word, places in sorted(its.items())} for kind, its in found().items()}


@pytest.mark.parametrize("kind", ["messages", "docs"])
def test_no_word_that_means_something_else_comes_back(kind: str) -> None:
    left = json.loads(LEFT.read_text())[kind]
    more = {word: places for word, places in found()[kind].items() if len(places) > left.get(word, 0)}
    said = [
        f"{word}: {len(places)} times, {left.get(word, 0)} at most. Say: {(WORDS | IN_MESSAGES)[word]}.\n  "
        + "\n  ".join(places)
        for word, places in more.items()
    ]
    assert not said, "\n".join(said)


def test_what_is_read_inside_basware_names_no_command_and_no_secret() -> None:
    said = [
        f"{path.relative_to(ROOT)}:{call.lineno}: {text}"
        for folder in ("systems", "engine")
        for path in sorted((ROOT / "layers/connector/ml_connector" / folder).rglob("*.py"))
        if path.parent.name != "basware" or path.stem in {"document", "invoices"}  # the others refuse what goes there
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in {"Rejected", "Unreadable"}
        for text in literals(ast.Module([ast.Expr(call)], []))
        if re.search(r"ml-connector|\bsecrets?\b|\bstate folder\b|--\w", text)
    ]
    assert not said, "\n".join(said)


def test_a_message_is_read_in_every_form() -> None:
    code = '''
def f(x):
    """Docstrings are not shown, though one settles."""
    raise Held(f"The letters of {x} are in " "two parts")
    y(help="A word here", other="one-word", sql="SELECT a FROM b")
def command():
    """Do it.

    Example: ml-connector do
    """
'''
    assert sorted(literals(ast.parse(code))) == [
        "A word here",
        "Do it.\n\nExample: ml-connector do",
        "The letters of {} are in two parts",
    ]
    assert list(descriptions({"A": [{"Description": "x y"}, {"B": {"AlarmDescription": {"Fn::Sub": "z ${W}"}}}]})) == [
        "x y",
        '{"Fn::Sub": "z ${W}"}',
    ]


def test_the_product_has_as_many_messages_as_it_seems() -> None:
    said = Counter(name.split("/")[0] for name, _ in messages())
    assert said["layers"] > 500
    assert said["infra"] > 200
    assert said["template.yaml"] > 20


def main() -> None:
    """Write down how many are left. A number that would rise is refused."""
    before: dict[str, dict[str, int]] = json.loads(LEFT.read_text()) if LEFT.exists() else {}
    now = counts()
    risen = [f"{kind}: {w}" for kind, its in before.items() for w, n in now[kind].items() if n > its.get(w, 0)]
    if risen:
        sys.exit(f"More than before: {', '.join(risen)}")
    LEFT.write_text(json.dumps(now, indent=1) + "\n")


if __name__ == "__main__":
    main()
