# SPDX-License-Identifier: Apache-2.0
"""What is refused about an identity token, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class TokenRefused(Problem):
    """An identity token is malformed, expired, for somebody else, or not signed by its issuer."""

    code = "identity-token-refused"
    title = "This identity token is not accepted"
    status_code = 401


class IssuerUnknown(Problem):
    """The token's issuer is not one of those that this registry believes for this use."""

    code = "issuer-unknown"
    title = "This registry does not know the token's issuer"
    status_code = 401


class IssuerUnreachable(Problem):
    """The issuer's configuration or keys cannot be had now, or are not what they must be."""

    code = "issuer-unreachable"
    title = "The identity provider does not answer as it must"
    status_code = 503


class TokenUsed(Problem):
    """A token that may be exchanged once was exchanged before."""

    code = "identity-token-used"
    title = "This identity token was used before"
    status_code = 409


class ProvidersBroken(Exception):
    """The operator's file of providers cannot be read; `manage.py check` says why."""


class IdentityTaken(Problem):
    """Somebody at a provider is another person here already."""

    code = "identity-taken"
    title = "This is somebody else's sign-in"
    status_code = 409


class LastSignIn(Problem):
    """The only way in which a person can sign in cannot be taken away."""

    code = "last-sign-in"
    title = "You could not sign in any more"
    status_code = 409


class SignInRefused(Problem):
    """A sign-in that the provider refused, that we did not begin, or that lets nobody in."""

    code = "sign-in-refused"
    title = "You could not be signed in"
    status_code = 403
