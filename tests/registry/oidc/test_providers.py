# SPDX-License-Identifier: Apache-2.0
"""The operator's file of providers: presets, one's own, and what is refused with its field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import Error
from pytest_django import Settings

from assay.signing.errors import InvalidDocument
from registry.oidc import checks
from registry.oidc.errors import ProvidersBroken
from registry.oidc.providers import Naming, Providers, Use, providers

OWN = {"name": "company", "issuer": "https://login.example", "uses": ["signing"]}


def parse(*items: object, is_local: bool = False) -> Providers:
    return Providers.parse(json.dumps({"providers": items}).encode(), is_local=is_local)


def test_without_a_file_nobody_is_believed(settings: Settings) -> None:
    settings.OIDC_PROVIDERS = ""
    assert providers() == Providers()
    assert checks.providers_are_readable() == []


def test_presets_know_their_addresses() -> None:
    found = parse(
        {"preset": "github-actions"},
        {"preset": "orcid", "client_id": "APP-1"},
        {"preset": "github", "client_id": "Iv1.x"},
    )
    assert [one.name for one in found.for_use(Use.SIGN_IN)] == ["orcid", "github"]
    actions = found.of_issuer("https://token.actions.githubusercontent.com", Use.PUBLISHING)
    assert actions.naming is Naming.GITHUB_WORKFLOW


def test_ones_own_provider_has_every_setting() -> None:
    more = {"title": "Us", "naming": "email", "scopes": ["openid", "email"], "client_id": "x"}
    (found,) = parse({**OWN, **more, "uses": ["sign-in", "signing"]}).known
    assert (found.title, found.naming, found.scopes) == ("Us", Naming.EMAIL, ("openid", "email"))
    assert found.read_client_secret() == ""


def test_plain_http_is_for_loopback_on_a_local_registry_alone() -> None:
    local = {**OWN, "issuer": "http://127.0.0.1:9"}
    assert parse(local, is_local=True).known[0].issuer == "http://127.0.0.1:9"
    with pytest.raises(InvalidDocument, match="https URL"):
        parse(local)
    with pytest.raises(InvalidDocument, match="https URL"):
        parse({**OWN, "issuer": "http://login.example"}, is_local=True)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"preset": "gitlub"}, "preset: expected one of github"),
    ({**OWN, "name": 7}, "name"),
    ({"name": "x", "uses": ["signing"]}, "issuer"),
    ({"name": "x", "issuer": "https://x.example"}, "uses"),
    ({**OWN, "uses": ["everything"]}, "uses: expected some of sign-in"),
    ({**OWN, "uses": []}, "uses"),
    ({**OWN, "naming": "nick"}, "naming: expected one of email"),
    ({**OWN, "uses": ["sign-in"]}, "client_id"),
    ({**OWN, "issuer": "https://a@login.example"}, "issuer"),
    ({**OWN, "colour": "red"}, "colour"),
    ({"preset": "github", "client_id": "x", "uses": ["sign-in", "signing"]}, "no ID tokens"),
]


@pytest.mark.parametrize(("item", "message"), WRONG)
def test_what_is_wrong_is_named(item: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDocument, match=message):
        parse(item)


def test_two_of_one_issuer_or_name_are_refused() -> None:
    with pytest.raises(InvalidDocument, match="each issuer once"):
        parse(OWN, {**OWN, "name": "again"})
    with pytest.raises(InvalidDocument, match="each name once"):
        parse(OWN, {**OWN, "issuer": "https://other.example"})


def test_a_broken_file_is_found_at_the_start(settings: Settings, tmp_path: Path) -> None:
    settings.OIDC_PROVIDERS = str(tmp_path / "providers.json")
    with pytest.raises(ProvidersBroken, match="No such file"):
        providers()
    (tmp_path / "providers.json").write_text("{}")
    (found,) = checks.providers_are_readable()
    assert (found.id, isinstance(found, Error)) == ("oidc.E001", True)


def test_a_missing_secret_is_found_at_the_start(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "providers.json"
    item = {"preset": "orcid", "client_id": "x", "client_secret_file": str(tmp_path / "none")}
    path.write_text(json.dumps({"providers": [item]}))
    settings.OIDC_PROVIDERS = str(path)
    (found,) = checks.providers_are_readable()
    assert found.id == "oidc.E002"
    (tmp_path / "none").write_text("secret\n")
    assert checks.providers_are_readable() == []
    assert providers().known[0].read_client_secret() == "secret"
