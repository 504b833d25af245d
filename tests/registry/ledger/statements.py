# SPDX-License-Identifier: Apache-2.0
"""Short builders of signed statements, by the real signer."""

from __future__ import annotations

from django.conf import settings

from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.signer.answers import Signed
from assay.signing.statements import DatasetClaim, Statement
from registry.ledger import queries, services
from tests.signing.signer.worlds import POLICY

SUBJECT = f"{settings.PUBLIC_URL}/lab"


def claim(number: int) -> Statement:
    """A statement like no other."""
    return DatasetClaim(
        manifest_sha256=sha256(b"%d" % number),
        name=f"lab/texts-{number}",
        title="Texts",
        source="a test",
        license="CC0-1.0",
        files=1,
        bytes=number,
    ).statement()


def sign(number: int) -> Signed:
    """The statement, signed and timestamped."""
    return services.signer().sign(Purpose.CHECKPOINT, SUBJECT, claim(number).canonical(), POLICY)


def record(*numbers: int) -> list[queries.Statement]:
    """Statements as pending entries."""
    return [record_signed(sign(number)) for number in numbers]


def record_signed(signed: Signed) -> queries.Statement:
    """One as a pending entry."""
    return services.record(signed.envelope, signed.chain, signed.timestamp)
