"""Which addresses may be called: by what a name leads to when the connection is made, in any spelling."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from ml_connector.embedded.clock import SeededRandom, SystemClock
from ml_connector.errors import ConnectorError, Misconfigured
from ml_connector.redact import Redactor
from ml_connector.systems import addresses, network, tls
from ml_connector.systems.addresses import Reach, kind, literal
from ml_connector.systems.http import Call, Http
from ml_connector.systems.network import Wire

KINDS = {
    "loopback": ["127.0.0.1", "127.8.9.10", "::1", "0.0.0.0", "0.1.2.3", "::", "::ffff:127.0.0.1", "::127.0.0.1",
                 "64:ff9b::7f00:1", "2002:7f00:1::"],
    "link-local": ["169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
                   "fd00:ec2::254"],
    "private": ["10.0.0.1", "172.31.2.3", "192.168.1.1", "100.64.0.1", "fd12::1", "fec0::1", "::ffff:10.0.0.1",
                "64:ff9b::c0a8:101"],
    "unusable": ["224.0.0.1", "ff02::1", "255.255.255.255"],
    "public": ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"],
}  # fmt: skip
EVERY = [(name, address) for name, group in KINDS.items() for address in group]
LITERALS = [
    ("2130706433", "loopback"),
    ("0x7f000001", "loopback"),
    ("0x7f.1", "loopback"),
    ("0177.0.0.1", "loopback"),
    ("127.1", "loopback"),
    ("localhost", "loopback"),
    ("LOCALHOST.", "loopback"),
    ("a.localhost", "loopback"),
    ("0xa9fea9fe", "link-local"),
    ("2852039166", "link-local"),
    ("10.1", "private"),
    ("[::1]", "loopback"),
    ("erp.example", None),
    ("api.basware.com", None),
    ("", None),
]
CLOSED = {"loopback", "link-local", "unusable"}


@pytest.mark.parametrize(("expected", "address"), EVERY)
def test_an_address_is_of_one_kind_also_within_another(expected: str, address: str) -> None:
    assert kind(address) == expected


@pytest.mark.parametrize(("host", "expected"), LITERALS)
def test_a_host_that_is_an_address_is_known_in_every_spelling(host: str, expected: str | None) -> None:
    assert literal(host) == expected


@pytest.mark.parametrize(("found", "address"), EVERY)
@pytest.mark.parametrize("private", [True, False])
def test_a_deployed_stack_calls_no_address_of_its_own_and_private_ones_for_erps_only(
    found: str, address: str, private: bool
) -> None:
    reach = Reach("ERP", "erp.example", 443, private=private)
    if found == "public" or (found == "private" and private):
        assert reach.usable("erp.example", 443, [address]) == [address]
        return
    with pytest.raises(Misconfigured, match="leads to") as caught:
        reach.usable("erp.example", 443, [address])
    assert address not in str(caught.value)


@pytest.mark.parametrize(("found", "address"), EVERY)
@pytest.mark.parametrize("insecure", [True, False])
def test_a_redirect_of_a_public_server_leads_to_public_addresses_only(found: str, address: str, insecure: bool) -> None:
    reach = Reach("Basware", "api.example", 443, insecure=insecure)
    reach.usable("api.example", 443, ["93.184.216.34"])
    for host, port in (("files.example", 443), ("api.example", 8443)):
        if found == "public":
            assert reach.usable(host, port, [address]) == [address]
            continue
        with pytest.raises(Misconfigured, match="redirected"):
            reach.usable(host, port, [address])


def test_in_a_local_run_a_redirect_may_stay_where_the_server_stands() -> None:
    here = Reach("Basware", "localhost", 8080, insecure=True)
    assert here.usable("localhost", 8080, ["127.0.0.1"])
    assert here.usable("localhost", 9090, ["127.0.0.1"]) and here.usable("files.localhost", 80, ["::1"])
    for address in ("10.0.0.1", "169.254.169.254"):
        with pytest.raises(Misconfigured, match="redirected"):
            here.usable("files", 80, [address])
    beside = Reach("Basware", "sandbox", 80, insecure=True)
    assert beside.usable("sandbox", 80, ["172.17.0.2"]) and beside.usable("sandbox", 81, ["172.17.0.2"])
    with pytest.raises(Misconfigured, match="redirected"):
        beside.usable("other", 80, ["172.17.0.3"])


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1"])
def test_the_clouds_own_addresses_are_called_in_no_run(address: str) -> None:
    with pytest.raises(Misconfigured, match="is never called"):
        Reach("ERP", "erp.example", 80, insecure=True).usable("erp.example", 80, [address])


def test_of_several_addresses_the_good_ones_are_used() -> None:
    reach = Reach("ERP", "erp.example", 443)
    assert reach.usable("erp.example", 443, ["127.0.0.1", "10.0.0.7"]) == ["10.0.0.7"]


def test_a_new_kind_of_address_is_refused_until_somebody_decides() -> None:
    assert set(KINDS) == {"loopback", "link-local", "private", "unusable", "public"} == set(addresses.Kind.__args__)  # type: ignore[attr-defined]


# ── at the connection ───────────────────────────────────────────────────────────────────────────────────────────


class Names:
    """A name server whose answers a test gives, one after the other."""

    def __init__(self, **hosts: list[str]) -> None:
        self.hosts, self.asked = hosts, 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        answers = self.hosts.get(host.replace(".", "_"), ["127.0.0.1"])
        return [answers.pop(0) if len(answers) > 1 else answers[0]]


def http(base: str, names: Any, *, insecure: bool = False, private: bool = True) -> Http:
    url = httpx.URL(base)
    reach = Reach("ERP", url.host, url.port or 443, insecure=insecure, private=private)
    wire = Wire(reach=reach, verify=tls.trust(None), timeout=5, limits=httpx.Limits(), resolve=names)
    return Http(
        base_url=base,
        vendor="ERP",
        clock=SystemClock(),
        rng=SeededRandom(1),
        redactor=Redactor(),
        timeout=5,
        transport=wire,
        insecure=insecure,
    )


@pytest.fixture
def answering(listening: Any) -> Any:
    """Tells what each guest asked, and answers with something that nobody outside should see."""
    asked: list[bytes] = []

    def answer(guest: socket.socket) -> None:
        asked.append(b"")
        guest.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 22\r\nConnection: close\r\n\r\nkeys-of-the-instance!!")

    return listening(answer), asked


def test_a_name_that_leads_to_this_machine_is_not_connected_to(answering: Any) -> None:
    base, asked = answering
    port = base.rpartition(":")[2]
    for private in (True, False):
        with pytest.raises(Misconfigured, match="leads to a loopback address") as caught:
            http(f"https://erp.example:{port}", Names(erp_example=["127.0.0.1"]), private=private).get("/x")
        assert "127.0.0.1" not in str(caught.value)
    assert asked == []


class Closed(network.httpcore.NetworkBackend):
    """A network in which nobody listens."""

    def __init__(self) -> None:
        self.tried: list[str] = []

    def connect_tcp(self, host: str, *_: Any, **__: Any) -> Any:
        self.tried.append(host)
        raise network.httpcore.ConnectError("closed")


def test_a_name_that_leads_elsewhere_at_the_second_look_is_judged_again() -> None:
    backend = network.Backend(Reach("ERP", "erp.example", 443), Names(erp_example=["10.0.0.7", "127.0.0.1"]))
    backend._inner = closed = Closed()  # type: ignore[assignment]
    with pytest.raises(network.httpcore.ConnectError):
        backend.connect_tcp("erp.example", 443)
    with pytest.raises(Misconfigured):
        backend.connect_tcp("erp.example", 443)
    assert closed.tried == ["10.0.0.7"], "what was judged is what is connected to, and no name is looked up again"


def test_a_redirect_to_this_machine_is_not_followed_though_the_run_is_local(answering: Any) -> None:
    base, asked = answering
    port = base.rpartition(":")[2]
    client = http("http://api.example", Names(files_example=["127.0.0.1"]), insecure=True)
    for url in (
        f"https://files.example:{port}/",
        f"http://files.example:{port}/",
        f"http://127.0.0.1:{port}/",
        f"http://2130706433:{port}/",
        f"http://[::ffff:127.0.0.1]:{port}/",
        f"http://localhost:{port}/",
    ):
        with pytest.raises(ConnectorError):
            client.call(Call("GET", url, auth=False, foreign=True))
    assert asked == []


def test_what_another_host_says_stands_in_no_error(answering: Any) -> None:
    base, asked = answering
    other = base.replace("127.0.0.1", "localhost")
    client = Http(
        base_url=base,
        vendor="ERP",
        clock=SystemClock(),
        rng=SeededRandom(1),
        redactor=Redactor(),
        timeout=5,
        insecure=True,
    )
    with pytest.raises(ConnectorError, match="keys-of"):
        client.call(Call("POST", "/x", safe=False))
    with pytest.raises(ConnectorError, match="not shown") as caught:
        client.call(Call("POST", f"{other}/x", auth=False, foreign=True, safe=False))
    assert "keys-of" not in str(caught.value) and len(asked) == 2


def test_over_https_nothing_is_redirected_to_http(answering: Any) -> None:
    for insecure in (True, False):
        client = http("https://api.example", Names(), insecure=insecure)
        with pytest.raises(Misconfigured, match="refused before it left"):
            client.call(Call("GET", "http://files.example/x", auth=False, foreign=True))


def test_behind_a_proxy_an_address_is_still_judged(answering: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    base, asked = answering
    for name in ("https_proxy", "http_proxy"):
        monkeypatch.setenv(name, base)
    monkeypatch.delenv("no_proxy", raising=False)
    client = http("http://api.example", Names(), insecure=True)
    for url in ("http://127.0.0.1/", "http://169.254.169.254/latest", "http://10.0.0.1/"):
        with pytest.raises(Misconfigured, match="redirected"):
            client.call(Call("GET", url, auth=False, foreign=True))
    assert asked == []
    with pytest.raises(ConnectorError, match="keys-of"):
        client.call(Call("POST", "/x", safe=False))
    assert len(asked) == 1, "the proxy itself may stand anywhere"


def test_the_way_out_is_the_one_that_judges() -> None:
    """httpx offers no way to hand over a network backend, so that it is set: a new httpx must still take it."""
    wire = Wire(reach=Reach("ERP", "h", 1), verify=tls.trust(None), timeout=1, limits=httpx.Limits())
    pool = wire._direct._pool
    assert isinstance(
        pool.create_connection(network.httpcore.Origin(b"http", b"h", 1))._network_backend, network.Backend
    )  # type: ignore[attr-defined]
