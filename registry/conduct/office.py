# SPDX-License-Identifier: Apache-2.0
"""The registry's conduct office: certified by its authority, and what it signs is in the ledger."""

from __future__ import annotations

from assay.signing.certificates import Purpose
from assay.signing.statements import Statement
from registry.ledger import certificates
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger

from . import queries


def ensure() -> None:
    """Have it certified, if it is not; outside any transaction."""
    certificates.ensure(certificates.office(queries.OFFICE))


def sign(statement: Statement) -> ledger_queries.Statement:
    """Have it sign, and log that, in the caller's transaction."""
    signed = ledger.signer().sign(Purpose.CONDUCT, queries.subject_uri(), statement.canonical())
    return ledger.record(signed.envelope, signed.chain, signed.timestamp)
