# SPDX-License-Identifier: Apache-2.0
"""Whether what a party signed with its own key is the acceptance that it asks for, here and now."""

from __future__ import annotations

from datetime import datetime, timedelta

from assay.signing.digests import sha256
from assay.signing.errors import BadSignature, KeyUnusable
from assay.signing.statements import Consent
from registry.accounts.queries import Namespace

from . import queries
from .errors import ConsentRefused
from .models import Acceptance, PolicyVersion

MAX_AGE = timedelta(minutes=5)  # and as much for a clock that is ahead of ours


def check(consent: Consent, version: PolicyVersion, party: Namespace, *, now: datetime) -> None:
    """Raises ConsentRefused, or InvalidDocument for what is no consent at all.

    1. The key, on P-256, signed it. 2. It is of this version, by the digests of its document and of
    its text. 3. It is the party's. 4. It was signed just now: nobody comes with an old one.
    """
    try:
        claim = consent.claim()  # 1
    except (KeyUnusable, BadSignature) as error:
        raise ConsentRefused(str(error)) from error
    if claim.conduct != queries.reference(version):  # 2
        found = f"{claim.conduct.id}@{claim.conduct.version}, sha256:{claim.conduct.sha256}"
        raise ConsentRefused(f"expected {version}, sha256:{version.sha256}, found {found[:200]!a}")
    text = sha256(version.text.encode())
    if claim.text_sha256 != text:  # 2
        raise ConsentRefused(f"expected the text sha256:{text}, found sha256:{claim.text_sha256}")
    if claim.party != party.uri:  # 3
        raise ConsentRefused(f"expected the party {party.uri}, found {claim.party[:200]!a}")
    if abs(now - claim.agreed_at) > MAX_AGE:  # 4
        expected = f"a time within {MAX_AGE.seconds // 60} minutes of {now:%Y-%m-%dT%H:%M:%SZ}"
        raise ConsentRefused(f"expected {expected}, found {claim.agreed_at:%Y-%m-%dT%H:%M:%SZ}")


def check_new(consent: Consent, version: PolicyVersion, party: Namespace) -> None:
    """Raises ConsentRefused for one that was given before and ended: it is signed anew.

    By what it says, for a signature has another form that anybody can compute. The party's row is
    locked, so that no other one comes in between.
    """
    before = Acceptance.objects.filter(version=version, party=party, key=consent.key)
    given = [each.signed for each in before]
    if any(one and one.envelope.payload == consent.envelope.payload for one in given):
        raise ConsentRefused("expected a consent that was not given before, found one that ended")
