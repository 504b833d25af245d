# SPDX-License-Identifier: Apache-2.0
"""What goes wrong at the command line itself; exit codes from 30 on are the commands' own."""

from __future__ import annotations

from ..errors import AssayError


class InputUnreadable(AssayError):
    """A file or folder cannot be read, or is not what was asked for."""

    code = "input-unreadable"
    exit_code = 30


class NotPinned(AssayError):
    """You did not say yes, or could not be asked: nothing was pinned."""

    code = "not-pinned"
    exit_code = 31


class NotAgreed(AssayError):
    """You did not type the version, or could not be asked: nothing was accepted."""

    code = "not-agreed"
    exit_code = 46


class FingerprintMismatch(AssayError):
    """The trust root is not the one whose fingerprint you gave: nothing was pinned."""

    code = "fingerprint-mismatch"
    exit_code = 32


class AlreadyPinned(AssayError):
    """Another trust root of the same registry is pinned: nothing was changed."""

    code = "already-pinned"
    exit_code = 33


class DestinationTaken(AssayError):
    """What is to be written has no place: something else is there. It was left as it is."""

    code = "destination-taken"
    exit_code = 35


class UnknownPin(AssayError):
    """No pinned trust root is of that registry, or has that fingerprint."""

    code = "unknown-pin"
    exit_code = 34


class NoToken(AssayError):
    """What was given is no token, or nothing was given: nothing was sent or kept."""

    code = "no-token"
    exit_code = 36


class NotLoggedIn(AssayError):
    """No token for that registry is at hand."""

    code = "not-logged-in"
    exit_code = 37


class AddressNotPrivate(AssayError):
    """Others could read a token on its way: plain http is for this machine alone."""

    code = "address-not-private"
    exit_code = 38
