# SPDX-License-Identifier: Apache-2.0
"""`assay conduct accept --key`: a person's own key signs exactly what they read and accept."""

from __future__ import annotations

import getpass
import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from assay.signing import canonical
from assay.signing.commands.errors import InputUnreadable, NotAgreed
from assay.signing.digests import sha256
from assay.signing.errors import AssayError, BrokenLink, KeyUnusable, NoTrustRoot
from assay.signing.keys import Curve, SoftwareKey, spki
from assay.signing.statements import Consent, ConsentClaim
from tests.signing.client.registry import Answer, Loopback, Seen
from tests.signing.commands.desk import Desk
from tests.signing.commands.test_conduct import NAME, PATH, TEXT, Typed, accept, office
from tests.signing.policies.test_documents import document
from tests.signing.world import AT

__all__ = ["office"]
KEY = SoftwareKey.generate()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "own.pem"
    KEY.store(path, None)
    return path


@pytest.fixture
def kept(desk: Desk, office: Loopback) -> list[dict[str, Any]]:
    """A registry whose root is pinned, which keeps what is sent and answers it."""
    desk.pin()
    sent: list[dict[str, Any]] = []

    def keep(seen: Seen) -> Answer:
        sent.append(json.loads(seen.body))
        shown = {**sent[-1]["consent"], "key_sha256": sha256(spki(KEY.public_key))}
        body = json.dumps({**sent[-1], "consent": shown}).encode()
        return Answer(status=201, body=body)

    office.made["POST", f"{PATH}/acceptances"] = keep
    return sent


@pytest.mark.parametrize("owner", ["bob", "lab"])
def test_the_key_signs_what_was_read(
    office: Loopback, kept: list[dict[str, Any]], key: Path, owner: str
) -> None:
    out = accept(office, Typed("1.1\n"), owner, key)
    (sent,) = kept
    consent = Consent.parse(sent["consent"])
    claim = consent.claim()
    assert claim == ConsentClaim(
        conduct=claim.conduct,
        text_sha256=sha256(TEXT.encode()),
        party=f"http://registry.test/{owner}",
        agreed_at=AT,
    )
    assert claim.conduct.sha256 == sha256(canonical.dumps(document()))
    assert consent.key == spki(KEY.public_key)
    said = " ".join(out.split())
    assert f"Your key signed it, too: sha256:{consent.key_sha256}" in said
    assert said.index("Type 1.1") < said.index("Accepted") < said.index("Your key")


def test_whoever_does_not_type_the_version_signs_nothing(
    office: Loopback, kept: list[dict[str, Any]], key: Path
) -> None:
    with pytest.raises(NotAgreed):
        accept(office, Typed("1.0\n"), None, key)
    assert kept == []


def test_nothing_is_signed_that_could_not_be_verified(office: Loopback, key: Path) -> None:
    with pytest.raises(NoTrustRoot, match="before your key signs"):
        accept(office, Typed("1.1\n"), None, key)
    assert "POST" not in {each.method for each in office.seen}


def test_an_acceptance_by_another_key_is_said_not_to_be_it(
    office: Loopback, kept: list[dict[str, Any]], key: Path
) -> None:
    del office.made["POST", f"{PATH}/acceptances"]
    office.on_json("POST", f"{PATH}/acceptances", {"consent": {"key_sha256": "00" * 32}})
    with pytest.raises(BrokenLink, match="that your key signed, found another"):
        accept(office, Typed("1.1\n"), None, key)


def encrypted(path: Path) -> Path:
    form = PrivateFormat.PKCS8
    path.write_bytes(
        KEY.private.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"canary"))
    )
    path.chmod(0o600)
    return path


def test_the_passphrase_of_a_key_is_typed_unseen(
    office: Loopback,
    kept: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def typed(prompt: str) -> str:
        asked.append(prompt)
        return "canary"

    monkeypatch.setattr(sys, "stdin", Typed())
    monkeypatch.setattr(getpass, "getpass", typed)
    accept(office, Typed("1.1\n"), None, encrypted(tmp_path / "own.pem"))
    assert asked == ["Passphrase of own.pem: "]
    assert len(kept) == 1


@pytest.mark.parametrize("stdin", [Typed(), StringIO()], ids=["hung up", "no terminal"])
def test_without_its_passphrase_a_key_opens_nothing(
    office: Loopback,
    kept: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stdin: StringIO,
) -> None:
    def hung_up(_: str) -> str:
        raise EOFError

    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(getpass, "getpass", hung_up)
    with pytest.raises(KeyUnusable, match="expected a key that is not encrypted"):
        accept(office, Typed("1.1\n"), None, encrypted(tmp_path / "own.pem"))
    assert kept == []


def stored(path: Path, kind: str) -> Path:
    match kind:
        case "wide":
            SoftwareKey.generate(Curve.P384).store(path, None)
        case "open":
            KEY.store(path, None)
            path.chmod(0o644)
        case "text":
            path.write_text("no key")
            path.chmod(0o600)
        case _:
            pass
    return path


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        ("wide", KeyUnusable, "own.pem: expected a P-256 key, found P-384"),
        ("open", KeyUnusable, "expected a key file of mode 0600"),
        ("text", KeyUnusable, "expected a private key in PEM, found none"),
        ("absent", InputUnreadable, "No such file"),
    ],
)
def test_a_file_that_is_no_such_key_is_refused_before_anything_is_asked(
    office: Loopback, tmp_path: Path, kind: str, error: type[AssayError], said: str
) -> None:
    with pytest.raises(error, match=said):
        accept(office, Typed("1.1\n"), None, stored(tmp_path / "own.pem", kind))
    assert not office.seen


def test_only_accepting_takes_a_key(desk: Desk, office: Loopback, key: Path) -> None:
    for action in ("show", "withdraw"):
        words = ("conduct", action, NAME, "--key", key, "--registry", office.url)
        assert desk.assay(*words)[0] == 2
    assert not office.seen
