# SPDX-License-Identifier: Apache-2.0
"""Where webhooks never go: no address but a public one, whatever a name leads to."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest
from pytest_django import Settings

from registry.notices import addresses
from registry.notices.addresses import Target
from registry.notices.errors import AddressRefused, InvalidWebhook

SPECIAL = (
    *("0.0.0.1", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.9.9.9", "169.254.169.254"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.170", "192.0.2.1", "192.168.0.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8"),
    *("::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1"),
    *("2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1"),
)


@pytest.mark.parametrize("text", SPECIAL)
def test_what_is_not_on_the_public_internet_is_refused(text: str) -> None:
    assert not addresses.is_taken(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])
def test_a_public_address_is_taken(text: str) -> None:
    assert addresses.is_taken(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text", sorted({*SPECIAL} - {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"})
)
def test_where_this_machine_is_allowed_nothing_else_is(text: str, settings: Settings) -> None:
    settings.WEBHOOKS_TO_LOOPBACK = True
    assert addresses.is_taken(ipaddress.ip_address("127.0.0.1"))
    assert not addresses.is_taken(ipaddress.ip_address(text))


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "localhost", "::1"])
def test_a_name_or_number_that_leads_home_is_refused(host: str) -> None:
    target = Target(scheme="https", host=host, port=443, path="/")
    with pytest.raises(AddressRefused, match="expected a host on the public internet, found"):
        asyncio.run(addresses.resolve(target))


def test_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target(scheme="https", host="mixed.example", port=443, path="/")
    monkeypatch.setattr("socket.getaddrinfo", _leading_to("8.8.8.8", "10.0.0.1"))
    with pytest.raises(AddressRefused, match=r"found mixed\.example at another$"):
        asyncio.run(addresses.resolve(target))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "https://",
        "https:///path",
        "https://alice:secret@example.com/",
        "https://example.com/#part",
        "https://example.com:22/",
        "https://example.com:99999/",
        "https://exam ple.com/",
        "https://example.com/\r\nX-Header: 1",
        "https://exämple.com/",
        "https://a..b/",
        "https://" + "a" * 64 + ".example/",
        "https://.example/",
        "https://[::1/",
        "https://a\\@b.example/",
        "https://example.com/" + "a" * 1000,
    ],
)
def test_what_is_no_address_for_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(InvalidWebhook, match="url: expected"):
        Target.parse(url)


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "https://[fe80::1]/", "https://127.0.0.1/"])
def test_a_private_address_is_refused_when_it_is_written_down(url: str) -> None:
    with pytest.raises(InvalidWebhook, match="expected a host on the public internet"):
        addresses.check_literal(url)


def test_the_checked_address_is_asked_in_the_name_of_its_host() -> None:
    target = Target.parse("https://ci.example:8443/hook?a=1")
    assert target.at(ipaddress.ip_address("8.8.8.8")) == "https://8.8.8.8:8443/hook?a=1"
    assert target.at(ipaddress.ip_address("2606:4700::1")) == "https://[2606:4700::1]:8443/hook?a=1"
    assert (target.authority, target.is_literal) == ("ci.example:8443", False)
    assert Target.parse("https://[2606:4700::1]").authority == "[2606:4700::1]"


def _leading_to(*found: str) -> object:
    def getaddrinfo(_host: str, port: int, *_: object, **__: object) -> list[object]:
        return [(2, 1, 6, "", (each, port)) for each in found]

    return getaddrinfo
