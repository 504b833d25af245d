# SPDX-License-Identifier: Apache-2.0
"""Whatever key a certificate is for: what it signs is a manifest that the C2PA library trusts."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import c2pa
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import certificates
from assay.signing.certificates import Purpose
from assay.signing.commands.crediting import Maker
from assay.signing.credentials import Credentials, definition
from assay.signing.errors import KeyUnusable
from assay.signing.keys import Curve, Signer, SoftwareKey
from assay.signing.pkcs11 import Token
from assay.signing.provenance import Holder
from assay.signing.statements import Origin
from tests import media
from tests.signing import leaves
from tests.signing.client.registry import Loopback
from tests.signing.owning import STAMPS, keeping
from tests.signing.softhsm import MODULE, SoftHsm, needs_softhsm
from tests.signing.world import World

PNG, KIND = media.picture("PNG"), "image/png"


def maker_of(key: Signer, world: World, registry: Loopback, folder: Path) -> Maker:
    """With a certificate of the right profile, by an authority of the world's."""
    issuer = world.issuers[Purpose.C2PA]
    holder = Holder(uri=f"{world.registry}/shop", conduct_sha256=leaves.CONDUCT)
    made = certificates.precertificate(
        Purpose.C2PA, key.public_key, holder=holder, issuer=issuer, at=world.at
    )
    leaf = leaves.logged(made, issuer, log=world.log_key, at=world.at)
    chain = folder / "chain.pem"
    both = (leaf, issuer.certificate)
    chain.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in both))
    return Maker.of(key, chain, stamps=f"{registry.url}{STAMPS[1]}")


def painted(maker: Maker, world: World) -> bytes:
    said = Credentials(
        registry=world.registry,
        output="1",
        claim=Origin.CALLER_ASSERTED,
        checkpoint_sha256="1" * 64,
        checkpoint_statement_sha256="2" * 64,
        index=0,
    )
    target = io.BytesIO()
    found = definition(said, name="alice/tiny@step-100", media_type=KIND)
    maker.embed(found, KIND, source=io.BytesIO(PNG), target=target)
    return target.getvalue()


def state(content: bytes, world: World) -> str:
    anchors = world.root.certificate.public_bytes(Encoding.PEM).decode()
    settings: dict[str, Any] = {"trust": {"trust_anchors": anchors}}
    with (
        c2pa.Context.from_dict(settings) as context,
        c2pa.Reader(KIND, io.BytesIO(content), context=context) as reader,
    ):
        return str(json.loads(reader.json())["validation_state"])


@pytest.mark.parametrize("curve", list(Curve))
def test_it_signs_on_every_curve(
    world: World, registry: Loopback, tmp_path: Path, curve: Curve
) -> None:
    with keeping(world, registry):
        maker = maker_of(SoftwareKey.generate(curve), world, registry, tmp_path)
        assert state(painted(maker, world), world) == "Trusted"


@needs_softhsm
def test_it_signs_with_a_token_and_says_what_that_refuses(
    world: World, registry: Loopback, tmp_path: Path, hsm: SoftHsm
) -> None:
    place = hsm.place
    key = Token(MODULE, place.token, place.pin_file).generate("media", Curve.P256)
    with keeping(world, registry):
        maker = maker_of(key, world, registry, tmp_path)
        assert state(painted(maker, world), world) == "Trusted"
        hsm.take_away()
        with pytest.raises(KeyUnusable, match="expected the token assay"):
            painted(maker, world)
        hsm.put_back()
