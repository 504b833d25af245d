# SPDX-License-Identifier: Apache-2.0
"""Where notices may go: an https address whose host is on the public internet, and nowhere else.

A host's name is resolved once. Every address it has is checked, and the request goes to the one
that was checked: a name that leads elsewhere a moment later leads nobody in.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NoReturn, Self
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from .errors import AddressRefused, InvalidWebhook
from .models import MAX_URL

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS = {"https": 443, "http": 80}
LEAST_OTHER_PORT = 1024  # below are mail, shells and name servers: nothing that takes webhooks
# What the IANA's registries of special-purpose addresses list, multicast, and what is reserved.
# Of version 6 only 2000::/3 is given out; in it are those that carry an address of version 4.
SPECIAL = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
    )
)
GIVEN_OUT = ipaddress.ip_network("2000::/3")
# Whose name server never answers keeps a thread for half a minute, of which asyncio itself has six:
# others' names would wait for it, and so would the end of each round of requests.
LOOKS_TOGETHER = 100
_looks = ThreadPoolExecutor(LOOKS_TOGETHER, thread_name_prefix="names")
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"  # what resolvers take (RFC 1035, section 2.3.4)
HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*|(?=.*:)[0-9a-f:.]{{2,45}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A parsed address; `host` as a certificate names it."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises InvalidWebhook for what notices are never sent to, whatever the host leads to."""
        parts = _split(url)
        schemes = ("https", "http") if settings.WEBHOOKS_TO_LOOPBACK else ("https",)
        if parts.scheme not in schemes or not parts.hostname:
            _refuse("an address that begins with https://", url)
        if "@" in parts.netloc or parts.fragment or not HOST.fullmatch(parts.hostname):
            _refuse("a host alone, without a user name, password or fragment", url)
        port = _port(parts, url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(scheme=parts.scheme, host=parts.hostname, port=port, path=path)

    @property
    def is_literal(self) -> bool:
        """That it names an address itself, which no certificate is asked for by name."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True

    @property
    def authority(self) -> str:
        """The Host header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == PORTS[self.scheme] else f"{name}:{self.port}"

    def at(self, address: Address) -> str:
        """The URL that leads to this very address."""
        name = f"[{address}]" if isinstance(address, ipaddress.IPv6Address) else str(address)
        return f"{self.scheme}://{name}:{self.port}{self.path}"


def check_literal(url: str) -> None:
    """Refuse at once what names an address itself, and one that nothing is sent to."""
    target = Target.parse(url)
    if target.is_literal and not is_taken(_parsed(target.host)):
        _refuse("a host on the public internet", url)


async def resolve(target: Target) -> tuple[Address, ...]:
    """Where the host's name leads, every one checked; raises AddressRefused, OSError."""
    loop = asyncio.get_running_loop()
    look = partial(socket.getaddrinfo, target.host, target.port, type=socket.SOCK_STREAM)
    found = await loop.run_in_executor(_looks, look)
    addresses = tuple(dict.fromkeys(_parsed(str(info[4][0])) for info in found))
    for each in addresses:
        if not is_taken(each):
            # Not where: whoever makes webhooks would read what is in our network, name by name.
            raise AddressRefused(
                f"expected a host on the public internet, found {target.host[:80]} at another"
            )
    if not addresses:
        raise AddressRefused(f"expected a host on the public internet, found no {target.host[:80]}")
    return addresses


def is_taken(address: Address) -> bool:
    """That notices may go there: a public address, or this machine's own where that is set."""
    plain: Address = address
    if isinstance(address, ipaddress.IPv6Address):
        plain = address.ipv4_mapped or address
    if plain.is_loopback:
        return bool(settings.WEBHOOKS_TO_LOOPBACK)
    if isinstance(address, ipaddress.IPv6Address) and address not in GIVEN_OUT:
        return False  # mapped, NAT64, local …
    return not any(address in each for each in SPECIAL if each.version == address.version)


def _parsed(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])


def _split(url: str) -> SplitResult:
    if len(url) > MAX_URL or not url.isascii() or any(each <= " " for each in url):
        _refuse(f"at most {MAX_URL} characters of ASCII without spaces", url)
    try:
        return urlsplit(url)
    except ValueError as error:
        raise InvalidWebhook(f"url: expected an address, found {url[:120]!a}") from error


def _port(parts: SplitResult, url: str) -> int:
    try:
        port = parts.port or PORTS[parts.scheme]
    except ValueError:
        port = 0
    if port != PORTS[parts.scheme] and port < LEAST_OTHER_PORT:
        _refuse(f"port {PORTS[parts.scheme]}, or one from {LEAST_OTHER_PORT} on", url)
    return port


def _refuse(expected: str, url: str) -> NoReturn:
    raise InvalidWebhook(f"url: expected {expected}, found {url[:120]!a}")
