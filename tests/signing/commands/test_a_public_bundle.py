# SPDX-License-Identifier: Apache-2.0
"""A bundle of the public Sigstore instance verifies offline, under the public trusted root.

Neither was made by us; where they are from is in THIRD_PARTY.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.signing.canonical import base64_decode, base64_text
from tests.signing.commands.desk import Desk

FOLDER = Path(__file__).parents[2] / "vectors" / "sigstore"
WORKFLOW = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/"
    ".github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
ISSUER = "https://token.actions.githubusercontent.com"
SUBJECT = "sha256:70ed0277251d0cf2eb5eda8b574ce012de485e39a3de1fb4b1e0717e14b02d6a"
Json = dict[str, Any]


def verify(desk: Desk, change: Callable[[Json], None], **words: str) -> tuple[int, str, str]:
    bundle = json.loads((FOLDER / "public-good.sigstore.json").read_bytes())
    change(bundle)
    path = desk.folder / "bundle.json"
    path.write_text(json.dumps(bundle))
    said = {
        "--certificate-identity": WORKFLOW,
        "--certificate-oidc-issuer": ISSUER,
        "--trusted-root": str(FOLDER / "public-good.trusted_root.json"),
        **words,
    }
    options = [word for pair in said.items() for word in pair]
    return desk.assay("sigstore", "verify-bundle", SUBJECT, "--bundle", path, *options)


def nothing(_bundle: Json) -> None:
    """As it is."""


def test_it_verifies_offline(desk: Desk) -> None:
    code, out, err = verify(desk, nothing)
    assert (code, err) == (0, "")
    assert "entry 1403653539 of 1403653554" in out
    assert "before 2026-05-13T19:47:33Z" in " ".join(out.split())


def the_payload(bundle: Json) -> None:
    envelope = bundle["dsseEnvelope"]
    payload = base64_decode(envelope["payload"])
    envelope["payload"] = base64_text(payload.replace(b"paired", b"joined"))


def the_entry(bundle: Json) -> None:
    (entry,) = bundle["verificationMaterial"]["tlogEntries"]
    entry["inclusionProof"]["hashes"].reverse()


def the_time(bundle: Json) -> None:
    (entry,) = bundle["verificationMaterial"]["tlogEntries"]
    entry["integratedTime"] = "1778701654"


@pytest.mark.parametrize(("change", "code"), [(the_payload, 15), (the_entry, 17), (the_time, 17)])
def test_a_change_is_refused(desk: Desk, change: Callable[[Json], None], code: int) -> None:
    assert verify(desk, change)[0] == code


def test_another_name_or_issuer_is_refused(desk: Desk) -> None:
    assert verify(desk, nothing, **{"--certificate-identity": WORKFLOW + "2"})[0] == 42
    issuer = {"--certificate-oidc-issuer": "https://accounts.google.com"}
    assert verify(desk, nothing, **issuer)[0] == 42
