# SPDX-License-Identifier: Apache-2.0
"""What the authority refuses, one class for each stable code."""

from __future__ import annotations

from assay.signing.errors import AssayError, InvalidDocument, SignerError
from registry.api.problems import FINAL, Problem


class WrongKey(Problem):
    """The certificate request is for another key than the node joined with."""

    code = "wrong-key"
    title = "This request is for another key"
    status_code = 422


class NotAMember(Problem):
    """Nobody acts for the name any more: nothing is certified for it."""

    code = "not-a-member"
    title = "Nobody acts for this name"
    status_code = 403


class NoAuthority(Problem):
    """There is no trust root: `manage.py authority init` was not run, or the signer is away."""

    code = "no-authority"
    title = "This registry has no certificate authority yet"
    status_code = 503


class NoCertificate(Problem):
    """No certificate of this serial number was issued here."""

    code = "no-certificate"
    title = "There is no such certificate"
    status_code = 404


class AlreadyRevoked(Problem):
    """A revocation is for ever, and is made once."""

    code = "already-revoked"
    title = "This certificate is revoked already"
    status_code = 409


class NoRevocation(Problem):
    """What was asked for cannot be a revocation: it counts from a time after itself."""

    code = "no-revocation"
    title = "This cannot be a revocation"
    status_code = 422


def is_final(error: AssayError) -> bool:
    """That asking the signer again cannot help: what was to be signed is itself at fault."""
    match error:
        case SignerError():
            return error.reason in FINAL
        case _:
            return isinstance(error, InvalidDocument)
