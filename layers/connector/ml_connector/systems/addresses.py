"""Which addresses may be called, judged on what a name leads to at the moment of the connection.

A name can lead to another address at each look, so that only the address which is connected to counts. A deployed stack
calls no address of its own machine and none that is link-local (the cloud's credentials are there); an ERP may stand in
a private network, a platform never does. A redirect leads to public addresses only.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Literal
from urllib.parse import urlsplit

from ml_connector.errors import Misconfigured

PORTS = {"http": 80, "https": 443}
Kind = Literal["public", "private", "loopback", "link-local", "unusable"]
_AWS = IPv6Network("fd00:ec2::/32")
"""Where AWS has its instance metadata, time and name servers in IPv6: as good as link-local."""
_PUBLIC = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_THIS_NETWORK = 8
"""Bits of 0.0.0.0/8: what Linux takes for this machine."""


@lru_cache(1024)
def kind(address: str) -> Kind:
    """Tell what an address is; an IPv4 address within an IPv6 one counts. Raises `ValueError` for what is none."""
    ip = _within(ip_address(address.partition("%")[0]))
    if ip.is_loopback or int(ip) == 0 or (ip.version == 4 and int(ip) >> 32 - _THIS_NETWORK == 0):
        return "loopback"
    if ip.is_link_local or (ip.version == 6 and ip in _AWS):
        return "link-local"
    if ip.is_multicast or ip == IPv4Address("255.255.255.255"):
        return "unusable"
    return "public" if ip.is_global and (ip.version == 4 or ip in _PUBLIC) else "private"


@lru_cache(1024)
def literal(host: str) -> Kind | None:
    """Tell what a host is that needs no name server: an address in any spelling, or this machine; None for a name."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return "loopback"
    try:
        return kind(name.strip("[]"))
    except ValueError:
        pass
    try:
        return kind(socket.inet_ntoa(socket.inet_aton(name)))  # also 2130706433, 0x7f.1 and 0177.0.0.1
    except (OSError, ValueError):
        return None


def _within(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64 or (ip in _COMPATIBLE and int(ip) > 1):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)


@dataclass
class Reach:
    """What one tenant's connection to one vendor may call: the configured server, and what that redirects to.

    `insecure`: a local run or a test stack, where the server may be this machine; a redirect may then lead to where
    the server itself stands. `private`: the server may stand in a private network.
    """

    vendor: str
    host: str
    port: int
    insecure: bool = False
    private: bool = True
    _stands: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, vendor: str, base_url: str, insecure: bool, private: bool) -> Reach:
        """Make it from the configured address. Raises `Misconfigured` for what is none."""
        try:
            base = urlsplit(base_url)
            return cls(vendor, base.hostname or "", base.port or PORTS.get(base.scheme, 0), insecure, private)
        except ValueError as error:
            raise Misconfigured(f"{vendor} cannot be called at {base_url} ({error}).") from error

    def usable(self, host: str, port: int, addresses: Iterable[str]) -> list[str]:
        """Give those of a host's addresses that may be called. Raises `Misconfigured` where none may.

        No address is named: what a name server says is not for whoever wrote the name.
        """
        given = list(addresses)
        ours = self.is_server(host, port)
        good = [address for address in given if (self._may_be(kind(address)) if ours else self._may_lead(address))]
        if given and not good:
            raise self._refusal(host, kind(given[0]), ours=ours)
        if ours:
            self._stands.update(good)
        return good

    def check(self, host: str, port: int, *, proxied: bool = False) -> None:
        """Judge a host that is an address itself, before anything is asked. Raises `Misconfigured`.

        Behind a proxy this is all that can be judged.
        """
        found, ours = literal(host), self.is_server(host, port)
        if found is None or found == "public" or (ours and self._may_be(found)):
            return
        if ours or proxied or not self.insecure or found in {"link-local", "unusable"}:
            raise self._refusal(host, found, ours=ours)

    def is_server(self, host: str, port: int) -> bool:
        """Tell whether this is the configured server, and not what it redirected to."""
        return (host.lower().strip("[]"), port) == (self.host.lower().strip("[]"), self.port)

    def _may_be(self, found: Kind) -> bool:
        allowed = {"public"} | ({"private"} if self.private or self.insecure else set())
        return found in allowed | ({"loopback"} if self.insecure else set())

    def _may_lead(self, address: str) -> bool:
        found = kind(address)
        beside = address in self._stands or (found == "loopback" and found in map(kind, tuple(self._stands)))
        return found == "public" or (self.insecure and beside)

    def _refusal(self, host: str, found: Kind, *, ours: bool) -> Misconfigured:
        if not ours:
            return Misconfigured(
                f"{self.vendor} redirected a request to {host}, which leads to a {found} address; that is never "
                "followed. Ask the vendor, or whoever runs the proxy in between, why it does so."
            )
        where = "is never called" if found in {"link-local", "unusable"} else "is not called from a deployed stack"
        return Misconfigured(
            f"The address of {self.vendor} in the secret, {host}, leads to a {found} address, which {where}. Correct "
            "the address or the name server's entry."
        )
