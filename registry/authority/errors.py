# SPDX-License-Identifier: Apache-2.0
"""What the authority refuses, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class NotInGoodStanding(Problem):
    """The owner has no live acceptance of the conduct version: nothing is signed for them."""

    code = "not-in-good-standing"
    title = "Nothing is signed for this owner"
    status_code = 403


class WrongKey(Problem):
    """The certificate request is for another key than the node joined with."""

    code = "wrong-key"
    title = "This request is for another key"
    status_code = 422


class NoAuthority(Problem):
    """There is no trust root: `manage.py authority init` was not run, or the signer is away."""

    code = "no-authority"
    title = "This registry has no certificate authority yet"
    status_code = 503
