# SPDX-License-Identifier: Apache-2.0
"""`assay conduct`: a version is read whole, and accepted by whoever types its number."""

from __future__ import annotations

import argparse
import io
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import canonical
from assay.signing.certificates import Purpose
from assay.signing.commands import conduct
from assay.signing.commands.errors import NotAgreed
from assay.signing.commands.terminal import Terminal
from assay.signing.digests import sha256
from assay.signing.statements import ConductClaim, ConductReference
from tests.signing.client.registry import Answer, Loopback
from tests.signing.commands.desk import TOKEN, Desk
from tests.signing.policies.test_documents import document
from tests.signing.world import AT

NAME = "house-rules@1.1"
PATH = "/api/v1/conduct/house-rules/1.1"
TEXT = (
    "# House rules\n\n**hr:1 Open.** Take what you need.\n\n**hr:2 Kind.** Harass nobody.\n\n"
    "**hr:3 Plain.** Say where it is from.\n"
)


class Typed(io.StringIO):
    """What a person types at a terminal."""

    def isatty(self) -> bool:
        return True


def shown(desk: Desk, text: str = TEXT) -> dict[str, Any]:
    """What a registry answers: a policy, this text, and what it signed of both."""
    claim = ConductClaim(
        conduct=ConductReference(
            id="house-rules", version="1.1", sha256=sha256(canonical.dumps(document()))
        ),
        title="House rules",
        severity="material",
        effective_at=AT,
        text_sha256=sha256(text.encode()),
    )
    signed = desk.world.sign(claim.statement(), Purpose.CONDUCT, "conduct")
    return {"policy": document(), "text": text, "bundle": desk.world.bundle(signed).to_json()}


@pytest.fixture
def office(desk: Desk, registry: Loopback, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    registry.on_json("GET", PATH, shown(desk))
    whoami = {"actor": "user:bob", "scopes": ["publish"], "project": None, "storage": []}
    registry.on_json("GET", "/api/v1/whoami", whoami)
    pem = [x509.load_der_x509_crl(each).public_bytes(Encoding.PEM) for each in desk.world.lists()]
    registry.on("GET", "/authority/crls.pem", Answer(body=b"".join(pem)))
    return registry


def accept(
    office: Loopback, typed: io.StringIO, owner: str | None = None, key: Path | None = None
) -> str:
    """What `assay conduct accept` prints."""
    words = argparse.Namespace(
        action="accept", version=NAME, registry=office.url, owner=owner, key=key and str(key)
    )
    said = io.StringIO()
    assert conduct.run(words, terminal=Terminal.on(said), answers=typed, clock=lambda: AT) == 0
    return said.getvalue()


def test_a_version_is_shown_whole(desk: Desk, office: Loopback) -> None:
    code, out, _ = desk.assay("conduct", "show", NAME, "--registry", office.url)
    assert code == 0
    assert out == (
        "House rules\n\nhr:1 Open. Take what you need.\n\nhr:2 Kind. Harass nobody.\n\n"
        f"hr:3 Plain. Say where it is from.\n\nsha256:{sha256(canonical.dumps(document()))}\n"
        "  Not verified: no root of this registry is pinned. To pin it: assay trust add\n  URL\n"
    )


@pytest.mark.parametrize(
    ("consent", "said"),
    [
        (None, ""),
        (
            {"key_sha256": "ab" * 32},
            f", and signed with a key of their own:\n  sha256:{'ab' * 32}",
        ),
    ],
)
def test_showing_says_what_the_caller_accepted(
    desk: Desk, office: Loopback, consent: object, said: str
) -> None:
    answer = {"accepted_at": "2026-11-22T08:00:00Z", "consent": consent}
    office.on_json("GET", f"{PATH}/acceptances/bob", answer)
    code, out, _ = desk.assay("conduct", "show", NAME, "--registry", office.url)
    assert (code, out.endswith(f"  Accepted by bob, 2026-11-22T08:00:00Z{said}\n")) == (0, True)


def test_showing_takes_no_token(
    desk: Desk, office: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSAY_TOKEN")
    code, out, _ = desk.assay("conduct", "show", NAME, "--registry", office.url)
    assert (code, "Harass nobody." in out) == (0, True)
    assert [each.path for each in office.seen] == [PATH]


@pytest.mark.parametrize("owner", [None, "lab"])
def test_it_is_accepted_by_whoever_types_its_number(office: Loopback, owner: str | None) -> None:
    office.on_json("POST", f"{PATH}/acceptances", {"owner": owner or "bob"}, status=201)
    out = accept(office, Typed("1.1\n"), owner)
    assert f"Type 1.1 to accept it for {owner or 'bob'}: " in out
    assert out.index("Harass nobody.") < out.index("Type 1.1") < out.index("Accepted")
    assert json.loads(office.seen[-1].body) == {"owner": owner or "bob"}


@pytest.mark.parametrize(
    "typed", [Typed("1.0\n"), Typed("y\n"), Typed("\n"), Typed(""), io.StringIO("1.1\n")]
)
def test_nothing_else_accepts_it(office: Loopback, typed: io.StringIO) -> None:
    with pytest.raises(NotAgreed, match="nothing was accepted"):
        accept(office, typed)
    assert [each.method for each in office.seen] == ["GET", "GET"]


def test_it_is_withdrawn(desk: Desk, office: Loopback) -> None:
    office.on("DELETE", f"{PATH}/acceptances/bob", Answer(status=204))
    code, out, _ = desk.assay("conduct", "withdraw", NAME, "--registry", office.url)
    assert (code, out) == (0, f"Withdrawn. Nothing more is signed under {NAME}.\n")


WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a space": (lambda of: of.update(text=TEXT + " "), "about this document and this text"),
    "another title": (
        lambda of: of["policy"].update(title="Rules"),
        "about this document and this text",
    ),
    "another version": (
        lambda of: of["policy"].update(
            version="1.2", uid="https://assay/conduct-policy/v2/house-rules/1.2"
        ),
        "expected house-rules@1.1, found house-rules@1.2",
    ),
    "no policy": (lambda of: of["policy"].pop("title"), "title: expected a value"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_text_that_is_not_the_signed_one_is_not_shown(
    desk: Desk, office: Loopback, wrong: str
) -> None:
    change, expected = WRONG[wrong]
    changed = shown(desk)
    change(changed)
    office.on_json("GET", PATH, changed)
    code, out, err = desk.assay("conduct", "show", NAME, "--registry", office.url)
    assert (code != 0, out) == (True, "")
    assert expected in err


def test_a_text_without_a_clause_is_not_shown(desk: Desk, registry: Loopback) -> None:
    registry.on_json("GET", PATH, shown(desk, TEXT.replace("Harass nobody.", "Harass them.")))
    code, out, err = desk.assay("conduct", "show", NAME, "--registry", registry.url)
    assert (code, out) == (22, "")
    assert "expected a text with hr:2 word for word, found another" in err


def test_a_name_that_is_none_is_refused(desk: Desk, office: Loopback) -> None:
    code, _, err = desk.assay("conduct", "show", "house-rules", "--registry", office.url)
    assert (code, "version: expected POLICY@VERSION, found 'house-rules'" in err) == (10, True)
    assert not office.seen


def test_where_a_root_is_pinned_the_signature_is_verified(desk: Desk, office: Loopback) -> None:
    desk.pin()
    office.on_json("POST", f"{PATH}/acceptances", {"owner": "bob"}, status=201)
    out = accept(office, Typed("1.1\n"))
    assert "signed by http://registry.test/conduct" in out
    assert out.index("signed by") < out.index("Type 1.1")


def test_what_does_not_verify_is_neither_shown_nor_accepted(desk: Desk, office: Loopback) -> None:
    desk.pin()
    changed = shown(desk)
    envelope = changed["bundle"]["dsseEnvelope"]
    signature = bytearray(b64decode(envelope["signatures"][0]["sig"]))
    signature[-1] ^= 1
    envelope["signatures"][0]["sig"] = b64encode(signature).decode()
    office.on_json("GET", PATH, changed)
    code, out, _ = desk.assay("conduct", "accept", NAME, "--registry", office.url)
    assert code not in {0, 46}
    assert "Take what you need." not in out
    assert "POST" not in {each.method for each in office.seen}


def test_where_nobody_is_at_a_terminal_nothing_is_accepted(desk: Desk, office: Loopback) -> None:
    code, out, err = desk.assay("conduct", "accept", NAME, "--registry", office.url)
    assert (code, "Harass nobody." in out) == (46, True)
    assert "not-agreed: nobody is there to read it, so nothing was accepted" in err
