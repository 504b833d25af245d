# SPDX-License-Identifier: Apache-2.0
"""Any Sigstore bundle v0.3, verified offline under a `trusted_root.json` that the caller trusts.

`roots` is whom to trust and when, `bundle` what was given; `verify` goes through its numbered steps
with `certificate` (time, chain, SCT, identity) and `entry` (the log). Our own bundles have a
stricter form and another root: they are `verify`'s, one level up.
"""

from .bundle import Message, Signed, SigstoreBundle
from .certificate import Identity
from .roots import TrustedRoot
from .verify import Verification, check_subject, verify

__all__ = [
    "Identity",
    "Message",
    "Signed",
    "SigstoreBundle",
    "TrustedRoot",
    "Verification",
    "check_subject",
    "verify",
]
