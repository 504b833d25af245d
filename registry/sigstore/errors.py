# SPDX-License-Identifier: Apache-2.0
"""What the Sigstore routes refuse, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class InvalidRequest(Problem):
    """The request is not one that this route takes."""

    code = "invalid-sigstore-request"
    title = "This is not a request of Sigstore's"
    status_code = 400


class NotOurs(Problem):
    """The certificate is not of this registry's authority, or not valid now."""

    code = "not-our-certificate"
    title = "The ledger takes signatures under certificates of this registry"
    status_code = 403


class NoPossession(Problem):
    """The caller did not show that it holds the key that it wants certified."""

    code = "no-proof-of-possession"
    title = "Nothing shows that you hold this key"
    status_code = 400


class InvalidAuthorization(Problem):
    """A program asked for a sign-in in a way that cannot be answered to it."""

    code = "invalid-authorization"
    title = "This program cannot be answered"
    status_code = 400


class InvalidGrant(Problem):
    """A code that is unknown, spent, too old, or not this program's."""

    code = "invalid_grant"  # RFC 6749, 5.2 writes it so
    title = "This code is not, or no longer, good for a token"
    status_code = 400


class NotDistributed(Problem):
    """There is no TUF root yet, or what lies beside it is not what was signed for it."""

    code = "not-distributed"
    title = "The trusted root is not distributed by TUF here"
    status_code = 503
