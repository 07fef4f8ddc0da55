"""HTTP for every vendor: one pool, one place where a 200 is not believed, one rule for what is tried again.

A *safe* call may be repeated (reads, logins, upserts), though one that hung only once; an unsafe one is sent once,
and whatever leaves its effect in doubt is `OutcomeUnknown`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from ml_connector import __version__, http_log
from ml_connector.deadline import Deadline
from ml_connector.errors import LoginRefused, Misconfigured, OutcomeUnknown, Throttled, Transient, Unreachable
from ml_connector.ports import Clock, Random
from ml_connector.redact import Clean, Redactor, given_out
from ml_connector.systems import tls
from ml_connector.systems.addresses import Reach
from ml_connector.systems.network import Wire
from ml_connector.systems.read_body import OFFERED, Bounded, TooLarge, Trickle, read_body
from ml_connector.systems.retry_after import retry_after
from ml_connector.systems.sender import Sender
from ml_connector.systems.written import written
from ml_connector.type_cache import resolve

TRIES = 4
HANGS = 2
"""Tries of a call that the server leaves hanging: each costs a whole timeout."""
PATIENCE = 10.0
"""Seconds that a call waits by itself before it leaves the waiting to the engine."""
DIGITS = 30
"""Places before or after the point beyond which a number is none that anybody meant."""
SHOWN = 16 * 1024
"""Bytes of a body that are looked through for a message."""
EDGE = 4 * 1024
"""Characters that are left out where a body was cut: what stands there may be the beginning of a secret."""
ELSEWHERE = "(its response is not shown, since it is another host)"
WITHHELD = "(not kept: it is a login)"
UNREADABLE = (ValueError, RecursionError, ArithmeticError)
"""What decoding raises: no JSON or no UTF-8, nesting without end, a number that no `Decimal` holds."""
T = TypeVar("T")
_any = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. `body` is decoded text's bytes; `request_id` is what the caller sent or the server gave."""

    status: int
    headers: httpx.Headers
    body: bytes = field(repr=False)
    url: str = ""
    clean: Clean = str

    @property
    def took(self) -> bool:
        """Tell whether what was sent was taken, whatever the body became. A page with 200 is anybody's: a login."""
        return 200 <= self.status < 300 and not (self.status == 200 and self.body.lstrip()[:1] == b"<")

    def json(self) -> Any:
        """Decode with every fraction as `Decimal`; raises `ValueError` where this is not JSON."""
        try:
            return _any.decode(self.body)
        except UNREADABLE as error:
            raise ValueError(str(error) or type(error).__name__) from error

    def pause_asked(self, now: datetime) -> float | None:
        """Read how many seconds the server wants to be left alone; None where it names no time."""
        return retry_after(self.headers.get("retry-after", "").strip(), now)

    def text(self, limit: int = 300) -> str:
        """Show the beginning of the body, for messages; secrets are masked before it is cut."""
        shown = self.clean(self.body[:SHOWN].decode("utf-8", "replace"))
        whole = shown if len(self.body) <= SHOWN else shown[:-EDGE]
        return " ".join(whole.split())[:limit]


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `want`: json, text or none; `auth` false sends no credentials; `expect`: statuses handed back.

    `judge` sees an expected answer before it is handed back, and raises `Transient` where it should be asked again.
    Not `shown`: a login, of which neither the request's body nor the answer's is kept or told to anybody.
    """

    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    safe: bool = True
    want: str = "json"
    auth: bool = True
    expect: tuple[int, ...] = (200,)
    foreign: bool = False
    judge: Callable[[Reply], None] | None = None
    shown: bool = True


class _Hung(Unreachable):
    """The server did not answer in time: whoever asks next would wait as long."""


class Http:
    """One vendor's server, for one tenant."""

    def __init__(
        self,
        *,
        base_url: str,
        vendor: str,
        clock: Clock,
        rng: Random,
        redactor: Redactor,
        timeout: float,
        auth: httpx.Auth | None = None,
        transport: httpx.BaseTransport | None = None,
        ca_bundle: str | None = None,
        connections: int = 8,
        before: Callable[[httpx.Request], None] | None = None,
        insecure: bool = False,
        private: bool = True,
        deadline: Deadline | None = None,
        tries: int = TRIES,
        keeps_cookies: bool = True,
    ) -> None:
        """`before` sees each request right before it leaves, also the replay after a renewed login.

        `private`: the server may stand in a private network. `deadline`: no call outlasts it. `tries`: of a safe call.
        """
        self.base_url, self.vendor, self.auth = base_url.rstrip("/"), vendor, auth
        self._clock, self._rng, self._redactor, self._timeout = clock, rng, redactor, timeout
        self._insecure, self._bundle, self._deadline = insecure, bool(ca_bundle), deadline or Deadline()
        self._tries = tries
        self._probes = transport is None and insecure
        if transport is None:
            limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
            trusted = tls.trust(ca_bundle, plain=self.base_url.startswith("http://"))
            reach = Reach.of(vendor, self.base_url, insecure, private)
            transport = Wire(reach=reach, verify=trusted, timeout=timeout, limits=limits)
        usual = {
            "User-Agent": f"ml-connector/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": OFFERED,
            "Connection": "keep-alive",
        }
        looks = [*([before] if before else []), self._hear]
        bounded = Bounded(transport, clock, timeout, self._deadline)
        self._sender = Sender(bounded, usual, looks, keeps_cookies=keeps_cookies)

    def close(self) -> None:
        """Close the pool."""
        self._sender.close()

    def get(self, path: str, params: Mapping[str, str] | None = None, **more: Any) -> Reply:
        """Read; tried again on passing trouble."""
        return self.call(Call("GET", path, params, **more))

    def call(self, call: Call) -> Reply:
        """Send a request, a safe one again on passing trouble, and check the answer.

        Raises the classes of `errors` only. Adapters put every status that they understand into `expect`; any other
        says nothing of a record, whoever answered: it is `Transient`, or `OutcomeUnknown` where it may have acted.
        """
        hung = 0
        for attempt in range(1, self._tries + 1):
            try:
                return self._checked(call, self._once(call))
            except Transient as error:
                repeat = call.safe or isinstance(error, Unreachable)
                hung += isinstance(error, _Hung)
                pause = self._pause(error, attempt)
                if not repeat or attempt == self._tries or hung == HANGS or pause > PATIENCE or error.spent:
                    error.spent = True  # a login inside of this call, or inside of another, is not tried 4 x 4 times
                    raise
                self._clock.sleep(pause)
        raise AssertionError("unreachable")

    def _pause(self, error: Transient, attempt: int) -> float:
        asked: float | None = getattr(error, "retry_after", None)
        return asked if asked is not None else 0.3 * 2 ** (attempt - 1) * (0.75 + self._rng.random() / 2)

    # ── one try ─────────────────────────────────────────────────────────────────────────────────────────────

    def _once(self, call: Call) -> Reply:
        allowed = self._deadline.allowed(self._clock.now(), self._timeout, safe=call.safe, who=self.vendor)
        request = self._request(call)
        timeouts = {"connect": min(allowed, 10), "read": allowed, "write": allowed, "pool": allowed}
        request.extensions["timeout"] = timeouts
        started, record = self._clock.now(), http_log.wanted()
        reply: Reply | None = None
        failure = ""
        try:
            reply = self._send(request, call)
        except httpx.HTTPError as error:
            failure = f"{type(error).__name__}: {error}"
            self._wire_trouble(call, error)
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            raise
        finally:
            if record:
                self._note(request, reply, started, failure, call.shown)
        return reply

    def _request(self, call: Call) -> httpx.Request:
        self._guard(url := call.path if "://" in call.path else f"{self.base_url}{call.path}", call.foreign)
        headers, content = dict(call.headers), call.content
        if call.body is not None:
            content = written(call.body)
            headers.setdefault("Content-Type", "application/json")
        try:
            return self._sender.build(call.method, url, call.params, headers, content)
        except UnicodeError as error:  # one of the server's cookies: it would spoil each call that follows
            self._sender.cookies.clear()
            raise Transient(f"{self.vendor} sent a cookie that cannot be sent back; it was dropped.") from error
        except (httpx.InvalidURL, ValueError) as error:
            if call.foreign:
                raise Transient(f"{self.vendor} pointed to an address that is none ({error}).") from error
            raise Misconfigured(f"{self.vendor} cannot be called at {self.base_url} ({error}).") from error

    def _guard(self, url: str, foreign: bool) -> None:
        """Let no call leave for another host; a redirect may, over https and without credentials.

        Over http only in a local run or a test stack, whose server itself is called so.
        """
        try:
            there, here = urlsplit(url), urlsplit(self.base_url)
        except ValueError as error:
            raise Transient(f"{self.vendor} pointed to an address that is none ({error}).") from error
        if (there.scheme, there.netloc) == (here.scheme, here.netloc):
            return
        if not foreign or (there.scheme != "https" and not (self._insecure and here.scheme == "http")):
            raise Misconfigured(
                f"{self.vendor}: a call to {there.scheme}://{there.hostname} was refused before it left; this tenant "
                f"talks to {here.hostname} only."
            )

    def _send(self, request: httpx.Request, call: Call) -> Reply:
        auth = self.auth if call.auth else None
        try:
            response = self._sender.send(request, auth)
        except (httpx.InvalidURL, ValueError) as error:
            self._sender.cookies.clear()  # such a cookie would spoil each request that follows
            raise httpx.RemoteProtocolError(f"its headers cannot be read ({error})") from error
        try:
            body = read_body(response)
        except httpx.HTTPError as error:
            if call.safe or not response.is_success:
                raise
            said = f"{self.vendor} took it ({response.status_code}), and its answer broke off"
            raise OutcomeUnknown(f"{said} ({self._redactor.text(str(error))}).", taken=True) from error
        finally:
            response.close()
        self._redactor.hear(response.headers.multi_items())
        if not (call.auth or call.foreign):
            self._redactor.learn(*given_out(body))
        clean = _unseen if call.foreign else self._redactor.text if call.shown else _withheld
        return Reply(response.status_code, response.headers, body, str(response.url), clean)

    def _hear(self, request: httpx.Request) -> None:
        """Know the credentials of a request before it leaves: a server may say back what it was sent."""
        self._redactor.hear(request.headers.multi_items())

    def _wire_trouble(self, call: Call, error: httpx.HTTPError) -> NoReturn:
        host, said = urlsplit(self._address(call)).netloc, self._redactor.text(str(error))
        if (insecure := self._tls_trouble(call, error)) is not None:
            raise insecure from error
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)):
            raise Unreachable(
                f"{self.vendor} at {host} cannot be reached ({said or type(error).__name__}); check the address, "
                "the firewall and whether the server runs."
            ) from error
        if call.safe and isinstance(error, httpx.TimeoutException):
            slow = _Hung(
                f"{self.vendor} at {host} did not answer in time ({said or 'no answer'}, 'timeout_seconds' is "
                f"{self._timeout:g})."
            )
            slow.spent = isinstance(error, Trickle)
            raise slow from error
        if call.safe:
            broken = Transient(f"{self.vendor} at {host} broke off ({said}).")
            broken.spent = isinstance(error, TooLarge)
            raise broken from error
        raise OutcomeUnknown(
            f"{self.vendor} at {host} gave no whole answer to a request that may have taken effect ({said})."
        ) from error

    def _address(self, call: Call) -> str:
        return call.path if "://" in call.path else self.base_url

    def _tls_trouble(self, call: Call, error: httpx.HTTPError) -> Misconfigured | None:
        """Find what is wrong with the security of a connection; nothing was sent over it then."""
        parts = urlsplit(self._address(call))
        where = f"{self.vendor} at {parts.netloc}"
        if parts.scheme == "https":
            return tls.trouble(where, error, bundle=self._bundle)
        cut = isinstance(error, (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError))
        if not cut or isinstance(error, TooLarge):
            return None
        probed = self._probes and not call.foreign and tls.speaks_tls(parts.hostname or "", parts.port or 80)
        return tls.plain_to_tls(where) if probed or tls.shows_tls(error) else None

    # ── the answer ──────────────────────────────────────────────────────────────────────────────────────────

    def _checked(self, call: Call, reply: Reply) -> Reply:
        status = reply.status
        if self.base_url.startswith("http:") and tls.says_https_wanted(status, reply.body):
            raise tls.plain_to_tls(f"{self.vendor} at {urlsplit(reply.url).netloc}")
        if status in call.expect:
            if call.judge is not None:
                call.judge(reply)
            return self._believed(call, reply)
        said = f"{self.vendor} answered {status} to {call.method} {urlsplit(reply.url).path}"
        if status == 401:
            raise LoginRefused(f"{said}: it does not accept the login, also after renewing it. {reply.text()}")
        if status == 429:
            raise Throttled(f"{said}: too many requests.", reply.pause_asked(self._clock.now()))
        if status >= 500 or status == 408:
            message = f"{said}: {reply.text(120) or 'no text'}."
            if not call.safe:
                raise OutcomeUnknown(message)
            raise Throttled(message, reply.pause_asked(self._clock.now())) if status == 503 else Transient(message)
        raise (Transient if call.safe else OutcomeUnknown)(
            f"{said}, and nothing can be concluded from that: {reply.text()} It is tried again later; if it stays "
            "so, check the address in the secret and what stands in between."
        )

    def _believed(self, call: Call, reply: Reply) -> Reply:
        """Believe a success only where its body is what was asked for."""
        if call.want != "json" or reply.status in {204, 202} or reply.status >= 300:
            return reply
        try:
            if reply.body.lstrip()[:1] == b"<":
                raise ValueError("an HTML page")
            reply.json()
        except ValueError as error:
            message = (
                f"{self.vendor} answered {reply.status} with something else than whole JSON ({error}); "
                "check that the address is that of the API and that no proxy stands in between."
            )
            raise (Transient(message) if call.safe else OutcomeUnknown(message, taken=reply.took)) from error
        return reply

    def _note(self, request: httpx.Request, reply: Reply | None, started: datetime, failure: str, shown: bool) -> None:
        clean, came = self._redactor, reply.body if reply else b""
        http_log.note(
            http_log.Exchange(
                at=started.isoformat(),
                method=request.method,
                url=clean.text(str(request.url)),
                request_headers=clean.headers(request.headers),
                request_body=http_log.clip(request.content.decode("utf-8", "replace"), clean) if shown else WITHHELD,
                status=reply.status if reply else None,
                response_headers=clean.headers(reply.headers) if reply else {},
                response_body=http_log.clip(came.decode("utf-8", "replace"), clean) if shown else WITHHELD,
                seconds=str(round((self._clock.now() - started).total_seconds(), 3)),
                error=clean.text(failure),
            )
        )


def _unseen(_: str) -> str:
    """Show nothing of what another host than the configured one says: nobody knows whose words these are."""
    return ELSEWHERE


def _withheld(_: str) -> str:
    """Show nothing of a login's answer: a server may say back user and password, in a spelling that nobody masks."""
    return WITHHELD


def decode(kind: type[T], value: Any) -> T:
    """Turn decoded JSON into a wire struct; raises `msgspec.ValidationError` with the path of what is wrong."""
    resolve(kind)
    return msgspec.convert(value, kind, strict=False)


def is_amount(value: Decimal) -> bool:
    """Tell whether a ledger could hold a number: `NaN` and `1E+999999` are decimals too, and no money."""
    return value.is_finite() and abs(value.adjusted()) <= DIGITS


def listed(value: Any) -> list[Any]:
    """Give a list; none where a server put something else in its place."""
    return value if isinstance(value, list) else []


def dumps(value: Any) -> str:
    """Show a value in messages and raw bodies."""
    return json.dumps(value, default=str, ensure_ascii=False)
