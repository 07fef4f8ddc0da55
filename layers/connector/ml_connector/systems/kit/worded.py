"""Calls of a server that says in words, under a good status, what it refuses, a session that ended too.

Nothing documents how such words tell an ended session. So the session is asked itself, by a call that any living one
answers, and only then replaced. What may not be repeated is not: its outcome is unknown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from ml_connector.errors import Misconfigured, OutcomeUnknown, Transient
from ml_connector.systems.http import Call, Http, Reply
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.in_address import NO_STORE, query
from ml_connector.systems.kit.login import SharedLogin
from ml_connector.systems.kit.xml import parsed, text_of

STATUSES = (200, 400, 401, 403, 404, 405, 410, 500)
"""What counts is the text; a gateway's page has none of the server's."""
_busy: dict[str, threading.Lock] = {}


@dataclass(frozen=True, slots=True)
class Words:
    """What a server's answers say. `proof` is the path that any living session is answered on.

    `lasting` makes the error of a refusal that no other session would change, of what was called; None for others.
    """

    proof: str
    text_in: Callable[[Reply], str]
    error_in: Callable[[Reply], Fault | None]
    lasting: Callable[[str, Fault], Misconfigured | None]


class WordedCalls:
    """Calls with everything in the address, one at a time for each user, since nothing tells that it takes two."""

    def __init__(self, http: Http, login: SharedLogin, words: Words, user: str) -> None:
        self._http, self._login, self._words = http, login, words
        self._who = f"user '{user}' of {http.vendor}"
        self._lock = _busy.setdefault(f"{http.base_url}|{user}".lower(), threading.Lock())

    def size(self, path: str, **sent: str) -> int:
        """Count the characters of an address."""
        return len(f"{self._http.base_url}{path}?{query(**sent)}")

    def document(self, path: str, sent: Mapping[str, str], what: str, *, safe: bool = True) -> tuple[Element, Reply]:
        """Call, and read the document that comes; anything else proves nothing.

        Raises `Misconfigured` for what lasts, and `Transient` for any other error, or `OutcomeUnknown` where the call
        is not `safe` to be repeated.
        """
        reply = self._call(path, sent, what, safe=safe)
        try:
            root = parsed(self._words.text_in(reply))
        except ValueError as error:
            said = f"{self._http.vendor} answered {what} with something else than whole XML ({error})"
            raise _doubt(f"{said}: {reply.text(120)}", safe=safe, taken=reply.took) from error
        if root.tag.lower() == "html" or not (len(root) or text_of(root)):
            raise _doubt(f"Something else than {self._http.vendor} answered for {what}: {reply.text(120)}", safe=safe)
        return root, reply

    def _call(self, path: str, sent: Mapping[str, str], what: str, *, safe: bool) -> Reply:
        with self._lock, self._login.turn():
            for again in (safe, False):
                reply, fault = self._once(path, sent, safe=safe)
                if fault is None:
                    return reply
                if (lasting := self._words.lasting(what, fault)) is not None:
                    raise lasting
                if not again or self._once(self._words.proof, {}, safe=True)[1] is None:
                    break
                self._login.lost(self._who)
        raise _doubt(f"{self._http.vendor} refused {what}: {fault}.", safe=safe)

    def _once(self, path: str, sent: Mapping[str, str], *, safe: bool) -> tuple[Reply, Fault | None]:
        self._login.ready()
        call = Call("GET", f"{path}?{query(**sent)}", want="text", expect=STATUSES, safe=safe, headers=NO_STORE)
        reply = self._http.call(call)
        fault = self._words.error_in(reply)
        if fault is None:
            self._login.used()
            if reply.status != 200:
                said = f"Something else than {self._http.vendor} answered for {path}: HTTP {reply.status}"
                raise _doubt(f"{said} {reply.text(120)}. Check the address, and what stands in between.", safe=safe)
        return reply, fault


def _doubt(message: str, *, safe: bool, taken: bool = False) -> Transient | OutcomeUnknown:
    return Transient(message) if safe else OutcomeUnknown(message, taken=taken)
