# SPDX-License-Identifier: Apache-2.0
"""A file of each kind comes back with a manifest that C2PA's own library trusts, and that is ours.

Also what is made of one that was changed since, cut, or put together with another.
"""

from __future__ import annotations

from typing import Any

import pytest
from c2pa import C2paError
from django.conf import settings

from assay.signing.credentials import judge
from assay.signing.digests import sha256
from assay.signing.errors import BadCredentials
from assay.signing.evidence import Evidence, Part
from assay.signing.statements import Origin
from assay.signing.verify import Content, Match, examine_output
from registry.catalog.models import Checkpoint
from registry.outputs.models import Output
from tests import media
from tests.reading import read
from tests.registry.outputs.media.sending import anchor, beside, send
from tests.registry.people import client_of
from tests.registry.pool.world import Lab
from tests.registry.verifying import basis
from tests.running import Authority

KINDS = media.everything()
MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@pytest.mark.parametrize("kind", KINDS)
def test_a_manifest_in_the_file_is_trusted(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority, kind: str
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    answer = send(client, real_checkpoint, KINDS[kind], kind)
    assert (answer.status_code, answer["Content-Type"]) == (201, kind)
    found = read(kind, answer.content, anchor=anchor(authority))
    said = judge(found, registry=settings.PUBLIC_URL)
    assert said.checkpoint_sha256 == real_checkpoint.manifest_sha256
    assert said.claim is Origin.CALLER_ASSERTED
    known = client.get(answer["Location"]).json()
    evidence = Evidence.parse(known["evidence"])
    assert said.index == evidence.bundles[Part.CHECKPOINT].proof.index
    content = Content.of(answer.content)
    seen = examine_output(evidence, basis=basis(authority), content=content).verdict()
    assert seen.match is Match.IDENTICAL
    assert seen.output is not None
    said.check(seen.output)
    listed = client.get(f"/api/v1/outputs/by-content/{sha256(answer.content)}").json()
    assert [each["id"] for each in listed["outputs"]] == [said.output]


@pytest.mark.parametrize("kind", [*KINDS, "text/plain", "application/octet-stream"])
def test_a_manifest_beside_a_file_that_never_came_is_trusted(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority, kind: str
) -> None:
    content = KINDS.get(kind, b"what a model wrote")
    answer = beside(client_of(real_lab.people.bob, "outputs"), real_checkpoint, content, kind)
    assert answer.status_code == 201
    found = read(kind, content, anchor=anchor(authority), sidecar=answer.c2pa)
    said = judge(found, registry=settings.PUBLIC_URL)
    assert said.output == answer.json["id"]
    assert Output.objects.get().sha256 == sha256(content)


def test_the_manifest_says_what_made_it_and_of_what(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority
) -> None:
    answer = send(client_of(real_lab.people.bob, "outputs"), real_checkpoint, KINDS["image/png"])
    found = read("image/png", answer.content, anchor=anchor(authority))
    (manifest,) = found["manifests"].values()
    (action,) = assertion(manifest, "c2pa.actions.v2")["actions"]
    assert (action["action"], action["digitalSourceType"]) == ("c2pa.created", MADE)
    disclosure = assertion(manifest, "c2pa.ai-disclosure")
    assert disclosure["modelIdentifier"] == f"sha256:{real_checkpoint.manifest_sha256}"
    (ingredient,) = manifest["ingredients"]
    assert (ingredient["relationship"], ingredient["title"]) == (
        "inputTo",
        real_checkpoint.full_name,
    )
    assert len(answer.content) - len(KINDS["image/png"]) < 20_000  # no thumbnails


def assertion(manifest: dict[str, Any], label: str) -> dict[str, Any]:
    (found,) = (each["data"] for each in manifest["assertions"] if each["label"] == label)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", ["cut", "changed", "continued", "twice"])
def test_what_was_changed_since_is_refused(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority, kind: str, change: str
) -> None:
    signed = send(
        client_of(real_lab.people.bob, "outputs"), real_checkpoint, KINDS[kind], kind
    ).content
    forged = {
        "cut": signed[:-9],
        "changed": signed[:-9] + bytes([signed[-9] ^ 1]) + signed[-8:],
        "continued": signed + KINDS[kind],
        "twice": signed + signed,
    }[change]
    with pytest.raises((BadCredentials, C2paError)):
        judge(read(kind, forged, anchor=anchor(authority)), registry=settings.PUBLIC_URL)


def test_what_was_saved_again_is_neither_known_nor_signed_over(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority
) -> None:
    kind, client = "image/jpeg", client_of(real_lab.people.bob, "outputs")
    signed = send(client, real_checkpoint, KINDS[kind], kind).content
    bare, carrying = (media.saved_again(signed, with_manifest=each) for each in (False, True))
    with pytest.raises(C2paError, match="ManifestNotFound"):
        read(kind, bare, anchor=anchor(authority))
    with pytest.raises(BadCredentials, match=r"assertion\.dataHash\.mismatch"):
        judge(read(kind, carrying, anchor=anchor(authority)), registry=settings.PUBLIC_URL)
    for copy in (bare, carrying):
        assert client.get(f"/api/v1/outputs/by-content/{sha256(copy)}").status_code == 404
    refused = send(client, real_checkpoint, carrying, kind)
    assert (refused.status_code, refused.json()["code"]) == (422, "media-has-credentials")


def test_a_manifest_beside_another_file_is_refused(
    real_lab: Lab, real_checkpoint: Checkpoint, authority: Authority
) -> None:
    kind, content = "image/png", KINDS["image/png"]
    made = beside(client_of(real_lab.people.bob, "outputs"), real_checkpoint, content, kind)
    other = media.picture("PNG", "red")
    found = read(kind, other, anchor=anchor(authority), sidecar=made.c2pa)
    with pytest.raises(BadCredentials, match="dataHash"):
        judge(found, registry=settings.PUBLIC_URL)
