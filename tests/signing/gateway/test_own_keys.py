# SPDX-License-Identifier: Apache-2.0
"""A gateway whose operator signs with a key of their own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assay.signing.bundle import Bundle
from assay.signing.client import RegistryClient
from assay.signing.client.ownkeys import OwnKey
from assay.signing.gateway import Content, Notary
from assay.signing.gateway.errors import EvidenceMissing
from assay.signing.keys import SoftwareKey
from assay.signing.verify import Requirements, verify_output
from tests.signing.client.registry import Answer, Loopback
from tests.signing.gateway.offices import CHECKPOINT, TEXT, TOKEN
from tests.signing.owning import OWN, STATEMENTS, Keeper, keeping
from tests.signing.world import World

CONTENT = Content(text=TEXT, media_type="text/plain")
KEY = SoftwareKey.generate()


@pytest.fixture
def keeper(world: World, registry: Loopback) -> Iterator[Keeper]:
    with keeping(world, registry) as found:
        yield found


@pytest.fixture
def notary(keeper: Keeper, tmp_path: Path) -> Iterator[Notary]:
    own = OwnKey(key=KEY, folder=tmp_path / "certificates")
    world = keeper.world
    with RegistryClient(keeper.loopback.url, TOKEN, timeout_seconds=5) as client:
        yield Notary(
            client=client,
            check=lambda evidence, content: verify_output(
                evidence,
                trust=world.trust,
                requirements=Requirements(as_of=world.at, signer_key=own.sha256),
                content=content,
            ),
            own=own,
            patience_seconds=5.0,
        )


def signed_by(answer: dict[str, object]) -> Bundle:
    evidence = answer["evidence"]
    assert isinstance(evidence, dict)
    return Bundle.parse(evidence["bundles"]["output"])


def test_each_answer_is_signed_by_the_key_under_one_certificate(
    notary: Notary, keeper: Keeper
) -> None:
    for _ in range(3):
        answer = notary.evidence(CONTENT, CHECKPOINT)
        assert answer["text"] == TEXT
        signed_by(answer).envelope.verify(KEY.public_key)
    assert (len(keeper.certified), len(keeper.taken)) == (1, 3)


def test_many_at_once_take_turns_with_the_key(notary: Notary, keeper: Keeper) -> None:
    notary.evidence(CONTENT, CHECKPOINT)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: notary.evidence(CONTENT, CHECKPOINT), range(8)))
    assert len({each["id"] for each in found}) == 8
    assert len(keeper.certified) == 1


@pytest.mark.parametrize("route", [STATEMENTS, OWN], ids=["statement", "signature"])
def test_a_busy_registry_is_asked_again_and_takes_one_output(
    notary: Notary, keeper: Keeper, route: tuple[str, str]
) -> None:
    keeper.loopback.before[route] = [Answer(status=503, body=b"{}")]
    notary.evidence(CONTENT, CHECKPOINT)
    assert len(keeper.taken) == 1


def test_what_the_key_would_not_sign_is_no_evidence(notary: Notary, keeper: Keeper) -> None:
    keeper.instead = {"media_type": "text/html"}
    with pytest.raises(EvidenceMissing, match="nothing was signed"):
        notary.evidence(CONTENT, CHECKPOINT)
    assert keeper.taken == {}


def test_a_folder_that_takes_no_certificate_is_said(
    notary: Notary, keeper: Keeper, tmp_path: Path
) -> None:
    (tmp_path / "certificates").write_text("a file")
    with pytest.raises(EvidenceMissing, match=r"Not a directory|File exists"):
        notary.evidence(CONTENT, CHECKPOINT)
