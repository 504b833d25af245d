# SPDX-License-Identifier: Apache-2.0
"""What conduct refuses, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class NotFound(Problem):
    """There is no such policy or version."""

    code = "not-found"
    title = "There is no such conduct version"
    status_code = 404


class VersionImmutable(Problem):
    """Another document has this version; a version never changes."""

    code = "conduct-version-immutable"
    title = "This version exists, and says something else"
    status_code = 409


class WrongSuccession(Problem):
    """A version does not go on from the newest one, or calls minor what is not."""

    code = "conduct-succession"
    title = "This version does not follow the one before"
    status_code = 409


class Superseded(Problem):
    """A newer version is in effect: that one is to be accepted."""

    code = "conduct-superseded"
    title = "This conduct version was replaced"
    status_code = 409


class NotYours(Problem):
    """The caller does not act for the party."""

    code = "not-your-name"
    title = "You do not act for this name"
    status_code = 403


class NotAccepted(Problem):
    """The party has no live acceptance of the conduct version: nothing is signed for it."""

    code = "conduct-not-accepted"
    title = "This conduct version has not been accepted"
    status_code = 403


class ConsentRefused(Problem):
    """What the party's own key signed is not what is accepted here, by whom and now."""

    code = "conduct-consent-refused"
    title = "The signed consent does not fit"
    status_code = 422


class DraftChanged(Problem):
    """Somebody else saved the draft, or ended it, since the caller read it."""

    code = "conduct-draft-changed"
    title = "The draft was changed meanwhile"
    status_code = 409


class DraftUnsound(Problem):
    """The draft is no version that could be published."""

    code = "conduct-draft-unsound"
    title = "The draft cannot be published as it is"
    status_code = 409


class NotProposed(Problem):
    """Nobody proposed exactly this; what is proposed is what is published."""

    code = "conduct-not-proposed"
    title = "This is not what was proposed"
    status_code = 409


class TakesTwo(Problem):
    """Whoever proposes a version does not publish it: it takes two."""

    code = "conduct-takes-two"
    title = "Another person has to publish it"
    status_code = 403


class NotStaff(Problem):
    """The caller does not run this registry."""

    code = "conduct-not-staff"
    title = "This is for those who run the registry"
    status_code = 403
