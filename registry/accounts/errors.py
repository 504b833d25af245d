# SPDX-License-Identifier: Apache-2.0
"""What accounts refuse, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class InvalidName(Problem):
    """Not a name, or a reserved one."""

    code = "invalid-name"
    title = "This is not a name that can be given"
    status_code = 422


class NameTaken(Problem):
    """Somebody has this name; names are never given twice."""

    code = "name-taken"
    title = "This name has been given before"
    status_code = 409


class WeakPassword(Problem):
    """A password that the validators refuse."""

    code = "weak-password"
    title = "This password is too easy to guess"
    status_code = 422


class NotAllowed(Problem):
    """Known to us, but this is not theirs to do."""

    code = "not-allowed"
    title = "You may not do this"
    status_code = 403


class Suspended(Problem):
    """A party that is under a sanction begins something."""

    code = "suspended"
    title = "This name is suspended"
    status_code = 403


class NodeExpelled(Problem):
    """A machine that was expelled asks to take part."""

    code = "node-expelled"
    title = "This machine was expelled"
    status_code = 403


class InvalidTokenRequest(Problem):
    """A token that could not be used, or never expires."""

    code = "invalid-token-request"
    title = "Such a token is not issued"
    status_code = 422


class TooManyTokens(Problem):
    """A person has as many live tokens as one may have."""

    code = "too-many-tokens"
    title = "There are too many live tokens"
    status_code = 409


class PersonUnknown(Problem):
    """Nobody who is here has this name, or nobody who is in the organisation."""

    code = "person-unknown"
    title = "There is nobody of this name"
    status_code = 404


class LastOwner(Problem):
    """An organisation would be left without anybody who may admit members."""

    code = "last-owner"
    title = "An organisation keeps at least one owner"
    status_code = 409


class TooManyOrganisations(Problem):
    """A person founded as many organisations as one may."""

    code = "too-many-organisations"
    title = "There are too many organisations"
    status_code = 409


class InvalidNodeRequest(Problem):
    """A certificate request that is no proof of a P-256 key, or a name that cannot be shown."""

    code = "invalid-node-request"
    title = "This is not a node's request to join"
    status_code = 422


class NodeKeyTaken(Problem):
    """The key already belongs to a node of somebody else."""

    code = "node-key-taken"
    title = "This key belongs to another node"
    status_code = 409


class Unauthenticated(Problem):
    """Base of what is wrong with a credential: 401 with a challenge (RFC 6750, section 3)."""

    code = "authentication-required"
    title = "This needs a token"
    status_code = 401
    challenge = 'Bearer realm="assay"'

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": self.challenge})


class InvalidToken(Unauthenticated):
    """A token was sent, and it does not open anything."""

    code = "token-invalid"
    title = "This token is not valid"
    challenge = 'Bearer realm="assay", error="invalid_token"'


class TokenMalformed(InvalidToken):
    """Not a token at all: its shape or its checksum is wrong (a typo, most likely)."""

    code = "token-malformed"


class TokenUnknown(InvalidToken):
    """Well-formed, but never issued here."""

    code = "token-unknown"


class TokenExpired(InvalidToken):
    """Its time is over."""

    code = "token-expired"


class TokenRevoked(InvalidToken):
    """It was withdrawn, or its owner's account was."""

    code = "token-revoked"


class ScopeMissing(Problem):
    """The token is valid, but not for this."""

    code = "scope-missing"
    title = "This token is not for this"
    status_code = 403
