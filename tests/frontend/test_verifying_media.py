# SPDX-License-Identifier: Apache-2.0
"""Media on the page that verifies: the C2PA manifest in them, read in the browser, beside ours."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import cast

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from playwright.sync_api import Page, expect

from assay.signing.cose import raw_signature
from assay.signing.digests import sha256
from assay.signing.keys import PrivateKey, SoftwareKey
from assay.signing.mediatypes import Kind
from assay.signing.statements import Origin
from registry.ledger import services as ledger
from registry.outputs import queries as outputs
from registry.outputs.asking import Assertion, assert_content
from registry.outputs.credentials import library, manifest
from registry.outputs.credentials.library import Office
from registry.outputs.media import services
from registry.outputs.media.services import Media
from registry.outputs.signing import advance
from tests import media
from tests.frontend.handed import desk, hand_in, unheard, verdict
from tests.frontend.visitor import Visitor
from tests.registry.site.world import Shown
from tests.signing import pki


@dataclass(frozen=True, slots=True, kw_only=True)
class Painted:
    """A file that Bob had signed, and its evidence."""

    file: Path
    evidence: Path


@pytest.fixture(params=[("film.mp4", Kind.MP4), ("picture.png", Kind.PNG)], ids=["mp4", "png"])
def painted(shown: Shown, tmp_path: Path, request: pytest.FixtureRequest) -> Painted:
    """Before the browser starts."""
    name, kind = request.param
    made = Media(
        checkpoint=shown.checkpoint.manifest_sha256,
        kind=kind,
        content=media.everything()[kind.value],
    )
    output, content = services.embed(made, by=shown.lab.people.bob, output_id=uuid.uuid4())
    file, evidence = tmp_path / name, tmp_path / f"{name}.assay.json"
    file.write_bytes(content)
    evidence.write_bytes(outputs.evidence(output).canonical())
    return Painted(file=file, evidence=evidence)


@pytest.fixture
def bought(shown: Shown, tmp_path: Path) -> Painted:
    """A picture whose manifest is by a certificate that a C2PA authority sold to somebody."""
    output_id = uuid.uuid4()
    said = manifest.credentials(shown.checkpoint, output_id, Origin.CALLER_ASSERTED)
    content = by_stranger(manifest.definition(shown.checkpoint, said, media_type=Kind.PNG.value))
    assertion = Assertion(
        checkpoint=shown.checkpoint.manifest_sha256,
        media_type=Kind.PNG.value,
        sha256=sha256(content),
        normalised_sha256="",
    )
    assert_content(assertion, by=shown.lab.people.bob, output_id=output_id)
    advance(output_id)
    return kept(tmp_path / "bought.png", content, output_id)


@pytest.fixture
def captured(shown: Shown, tmp_path: Path) -> Path:
    """A picture with the manifest of a camera, which knows nothing of any registry."""
    del shown  # whose ledger stamps the time
    taken = {
        "action": "c2pa.created",
        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
    }
    definition = {
        "claim_generator_info": [{"name": "A camera"}],
        "format": Kind.PNG.value,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [taken]}}],
    }
    (file := tmp_path / "captured.png").write_bytes(by_stranger(definition))
    return file


def by_stranger(definition: Mapping[str, object]) -> bytes:
    """A picture with this manifest, by a certificate that nobody here was told about."""
    leaf = pki.signer(
        pki.authority("A C2PA authority"), purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,)
    )
    key, made = SoftwareKey(private=cast("PrivateKey", leaf.key)), BytesIO()
    by = Office(
        chain=leaf.pem.decode(),
        sign=lambda structure: raw_signature(key.sign(structure)),
        stamp=ledger.signer().timestamp,
    )
    source = BytesIO(media.picture("PNG"))
    library.embed(definition, Kind.PNG, source=source, target=made, by=by)
    return made.getvalue()


@pytest.fixture
def hidden(shown: Shown, tmp_path: Path) -> Painted:
    """A picture whose manifest is broken, which its caller had signed as nothing of that kind."""
    bob, output_id = shown.lab.people.bob, uuid.uuid4()
    picture = Media(
        checkpoint=shown.checkpoint.manifest_sha256,
        kind=Kind.PNG,
        content=media.picture("PNG"),
    )
    content = services.embed(picture, by=bob, output_id=uuid.uuid4())[1] + b"\x00"
    assertion = Assertion(
        checkpoint=picture.checkpoint,
        media_type="application/octet-stream",
        sha256=sha256(content),
        normalised_sha256="",
    )
    assert_content(assertion, by=bob, output_id=output_id)
    advance(output_id)
    return kept(tmp_path / "hidden.png", content, output_id)


def kept(file: Path, content: bytes, output_id: uuid.UUID) -> Painted:
    """With its evidence beside it."""
    evidence = file.with_name(f"{file.name}.assay.json")
    file.write_bytes(content)
    output = outputs.outputs().get(pk=output_id)
    evidence.write_bytes(outputs.evidence(output).canonical())
    return Painted(file=file, evidence=evidence)


def said_of_manifest(page: Page) -> str:
    place = page.locator("[data-credentials]")
    expect(place).to_be_visible()
    return place.inner_text()


def test_its_manifest_is_read_beside_its_evidence(painted: Painted, visitor: Visitor) -> None:
    page = desk(visitor)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hand_in(page, painted.file, painted.evidence)
    assert "Nobody else saw it being made" in verdict(page, "Verified.")
    found = said_of_manifest(page)
    assert found.startswith("Its C2PA manifest is whole, signed and time-stamped under the same")
    assert "by its caller’s word" in found
    assert "Public C2PA verifiers do not know this root" in found
    assert [url for url in asked if ".wasm" not in url and "manifest-worker" not in url] == []


def test_alone_it_is_said_what_a_manifest_does_not_prove(
    painted: Painted, visitor: Visitor
) -> None:
    page = desk(visitor)
    hand_in(page, painted.file)
    verdict(page, "Unknown here, which proves nothing.")
    found = said_of_manifest(page)
    assert found.startswith("It carries a C2PA manifest, which is whole")
    assert "Whether it was revoked since, a manifest alone does not say" in found
    unheard(visitor)


def test_a_changed_file_fails_by_its_digest_and_by_its_manifest(
    painted: Painted, visitor: Visitor
) -> None:
    page = desk(visitor)
    painted.file.write_bytes(painted.file.read_bytes() + b"\x00")
    hand_in(page, painted.file, painted.evidence)
    verdict(page, "Changed.")
    assert said_of_manifest(page).startswith("Its C2PA manifest does not hold: ")


def test_a_manifest_by_somebody_unknown_is_neither_green_nor_broken(
    bought: Painted, visitor: Visitor
) -> None:
    page = desk(visitor)
    hand_in(page, bought.file, bought.evidence)
    verdict(page, "Verified.")
    assert "told nothing about" in said_of_manifest(page)
    expect(page.locator('.result[data-mood="caution"]')).to_have_count(1)


def test_a_manifest_of_others_is_not_called_broken(captured: Path, visitor: Visitor) -> None:
    page = desk(visitor)
    hand_in(page, captured)
    verdict(page, "Unknown here, which proves nothing.")
    assert said_of_manifest(page).startswith("It carries a C2PA manifest of somebody else")
    expect(page.locator('.result[data-mood="none"]')).to_have_count(1)
    captured.write_bytes(captured.read_bytes() + b"\x00")
    hand_in(page, captured)
    expect(page.locator("[data-credentials]")).to_contain_text("manifest does not hold")
    expect(page.locator('.result[data-mood="broken"]')).to_have_count(1)
    unheard(visitor)


def test_one_that_is_broken_is_never_green_whatever_the_file_was_signed_as(
    hidden: Painted, visitor: Visitor
) -> None:
    page = desk(visitor)
    hand_in(page, hidden.file, hidden.evidence)
    verdict(page, "Signed, but its C2PA manifest does not hold.")
    assert "assertion.dataHash.mismatch" in said_of_manifest(page)
    expect(page.locator('.result[data-mood="broken"]')).to_have_count(1)


def test_with_the_network_cut_before_it_says_that_it_read_nothing(
    painted: Painted, visitor: Visitor
) -> None:
    page = desk(visitor)
    page.context.set_offline(offline=True)
    hand_in(page, painted.file, painted.evidence)
    verdict(page, "Verified.")
    assert said_of_manifest(page).startswith("Whether it carries a C2PA manifest that holds is not")
    unheard(visitor)
