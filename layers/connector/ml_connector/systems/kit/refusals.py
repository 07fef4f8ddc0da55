"""What any ERP may refuse a document for, told from its words: three kinds.

Known faults of the document go back to its source. Troubles of the ERP's set-up say nothing of the document: whoever
refused it for them would refuse all of them. What nobody knows is held for a person. Texts come in the language of the
ERP's user, so fields that are quoted in brackets count before words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ml_connector.errors import Held, Misconfigured, NotUnderstood
from ml_connector.flow import Prepared

_FIELD = re.compile(r"\[(?:\w+\.)*([A-Za-z_]\w*)\]")
_FAULTS = re.compile(
    r"too long|zu lang|trop long|demasiado larg|troppo lung|more than \d+ (?:characters|decimals)|at most \d+"
    r"|maximum length|exceeds .{0,30}(?:length|characters)|more decimals|must be (?:positive|greater than (?:zero|0))"
    r"|cannot be negative|has no (?:lines|details)|total is missing",
    re.IGNORECASE,
)
"""What is wrong with a value of the document itself, whatever the ERP's set-up."""
_TOO_LONG = re.compile(r"time[ds]?[- ]?out|délai (?:d.{0,20})?(?:dépassé|expiré)|Zeitüberschreitung", re.IGNORECASE)
_LOCKED = re.compile(
    r"\block(?:ed|s)? by\b|in use by|being (?:used|edited|processed|posted)|(?:by )?another user"
    r"|currently (?:in use|open)|gesperrt (?:von|durch)|anderen? Benutzer|verrouillé par|autre utilisateur"
    r"|bloquead\w* por|otro usuario|outro usuário",
    re.IGNORECASE,
)
_SETUP: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), fix)
    for pattern, fix in (
        (
            r"numbering|\bseries\b|Nummern(?:serie|kreis)|Belegnummerierung|numérotation|numeración|numerazione"
            r"|numeração|next (?:document|batch|entry) number",
            "define the numbering series (for this kind of document, branch and year) there",
        ),
        (
            r"attachments? (?:folder|path|director)|attachments? .{0,30}not (?:been )?defined|Anlagenordner"
            r"|Anhangordner|Ordner für Anlagen|dossier .{0,20}pièces jointes|carpeta de (?:anexos|adjuntos)",
            "define the attachments folder there, and let the server reach it",
        ),
        (
            r"licen[cs]e|lizenz|licencia|licenza|licença",
            "give the connector's user a licence that may use the interface and enter A/P invoices",
        ),
        (
            r"authori[sz]ation|authori[sz]ed|permission|privilege|security group|access (?:is )?denied|Berechtigung"
            r"|autorisation|autoris[ée]|autorizaci|autorizzazione|autorização|permiso|\brights?\b",
            "give the connector's user the right to enter A/P invoices and credit notes",
        ),
        (
            r"account determination|determination of accounts|default accounts?\b|control account .{0,40}not defined"
            r"|Kontenfindung|détermination des comptes|determinación de cuentas",
            "complete the account determination there",
        ),
        (
            r"(?:connect(?:ion)?|link) (?:to|with) .{0,40}(?:database|server|company|directory)|database .{0,40}"
            r"(?:connect|unavailable|not available|full)|not connected|connection (?:lost|failed|refused|broken)"
            r"|disk (?:is )?full|out of memory|deadlock|time-?out|Datenbank|base de données|base de datos",
            "see to the connection between the server and its database",
        ),
        (
            r"first define|define .{0,80}(?:in|under) .{0,20}Administration|Administration (?:module|>)"
            r"|system initiali[sz]ation|general settings|document settings|company (?:details|profile)|A/P options"
            r"|(?:not|never) (?:been )?(?:set up|activated|configured|initiali[sz]ed)|zuerst .{0,60}definieren"
            r"|définissez d'abord|defina primero|definire prima",
            "complete the set-up that it names",
        ),
    )
)


def used_codes(lookup: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """List (kind, the ERP's code, the platform's code) of what an invoice names: entries such as `tax=VST19`."""
    return [(*name.split("=", 1), ours) for name, ours in lookup.items() if "=" in name]  # type: ignore[misc]


def names_code(text: str, code: str) -> bool:
    """Tell whether a text names a code, and not a longer one that holds it."""
    return re.search(rf"(?<![\w.-]){re.escape(code)}(?![\w-])", text) is not None


def culprit(kind: str, text: str, lookup: Mapping[str, str]) -> str | None:
    """Find the platform's code that a refusal is about: the one quoted, or the first used of its kind."""
    mine = [(theirs, ours) for used, theirs, ours in used_codes(lookup) if used == kind]
    for theirs, ours in mine:
        if theirs and names_code(text, theirs):
            return ours
    return mine[0][1] if mine else None


def fields_in(text: str) -> list[str]:
    """List the fields that a refusal quotes in brackets, such as `DocDate` of `[OPCH.DocDate][line: 1]`."""
    return _FIELD.findall(text)


def is_fault_of_the_document(text: str) -> bool:
    """Tell whether a refusal is about a value of the document itself."""
    return _FAULTS.search(text) is not None


def took_too_long(text: str) -> bool:
    """Tell whether a refusal only says that something was not finished in time: it may end well after all."""
    return _TOO_LONG.search(text) is not None


def is_locked(text: str) -> bool:
    """Tell whether somebody works on the record at this moment."""
    return _LOCKED.search(text) is not None


def setup_trouble(vendor: str, what: str, said: object, text: str) -> Misconfigured | None:
    """Make the error of a trouble of the ERP's set-up; None where a text speaks of none. `what` names the document."""
    for pattern, fix in _SETUP:
        if pattern.search(text):
            return Misconfigured(
                f"{vendor} takes no invoice at this time, and {what} is not at fault: {said}. To fix in {vendor}: "
                f"{fix}. It is tried again by itself."
            )
    return None


def not_understood(vendor: str, prepared: Prepared, said: object) -> Held:
    """Make the error of a refusal that nobody knows: the document waits for a person, and its source hears nothing."""
    return NotUnderstood(
        prepared.key,
        f"{vendor} refused {named(prepared)}: {said}. This is no known fault of the document, so it is held and not "
        f"refused. Look at it in {vendor}: once the cause is removed it is tried again by itself; if the document is "
        "wrong, correct or reject it where it came from.",
    )


def named(prepared: Prepared) -> str:
    """Name a document for a person: kind, number, supplier, amount."""
    lookup: Mapping[str, str] = prepared.lookup
    supplier = lookup.get("card") or lookup.get("vendor") or ""
    number = f" {lookup['number']}" if lookup.get("number") else ""
    of = f" of supplier {supplier}" if supplier else ""
    amount = f" ({prepared.amount} {prepared.currency})" if prepared.amount is not None else ""
    return f"invoice{number}{of}{amount}"
