# SPDX-License-Identifier: Apache-2.0
"""What the ledger refuses, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class NotFound(Problem):
    """There is no such entry, or no tree head yet."""

    code = "not-found"
    title = "There is no such thing in the ledger"
    status_code = 404


class NotIncluded(Problem):
    """The entry exists, but no signed tree head includes it yet: there is nothing to prove."""

    code = "not-included"
    title = "No signed tree head includes this yet"
    status_code = 409


class CertificateBarred(Problem):
    """The certificate, or who issued it, was revoked or stopped: another one has to sign."""

    code = "certificate-revoked"
    title = "Nothing is recorded under this certificate any more"
    status_code = 409


class LedgerBusy(Problem):
    """Another process held the sequencer's lock for too long; the entries stay pending."""

    code = "ledger-busy"
    title = "The ledger is being written by another process"
    status_code = 503


class LedgerBehind(Problem):
    """The signer has signed a larger tree than the database holds: the database is an old copy."""

    code = "ledger-behind"
    title = "The ledger's database is older than its last signed tree head"
    status_code = 503


class LedgerDamaged(Problem):
    """A stored hash or entry is missing or contradicts another: nothing more may be signed."""

    code = "ledger-damaged"
    title = "The ledger's rows do not fit together"
    status_code = 503
