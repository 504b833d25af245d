# SPDX-License-Identifier: Apache-2.0
"""Authorities that share a name, or keys too, make many paths to try: the search for one ends.

Whoever tried each of them for eight certificates that can all have issued one another would be at
it for as many tries as there are orders of eight. A test that never ended would show it.
"""

from __future__ import annotations

import pytest
from cryptography import x509

from assay.signing import paths
from assay.signing.errors import UntrustedChain
from tests.signing.pki import AT, Holder, authority, ec_key, issued, signer, usage

ROOT = authority("root")
NAME = "the same name"
AUTHORITY = (
    (x509.BasicConstraints(ca=True, path_length=None), True),
    (usage(key_cert_sign=True), True),
)


def refused(leaf: Holder, intermediates: list[Holder]) -> None:
    with pytest.raises(UntrustedChain, match="expected a path to a trusted certificate"):
        paths.verify_path(
            leaf.certificate,
            [each.certificate for each in intermediates],
            anchors=[ROOT.certificate],
            at=AT,
        )


def test_eight_of_one_name_and_none_of_them_the_issuer() -> None:
    others = [authority(NAME, authority(NAME, ROOT)) for _ in range(paths.MAX_INTERMEDIATES)]
    refused(signer(authority(NAME, ROOT)), others)


def test_eight_of_one_name_and_one_key_that_can_each_have_issued_each() -> None:
    key = ec_key()
    first = Holder(certificate=authority(NAME, key=key).certificate, key=key)
    same = [issued(NAME, first, key=key, more=AUTHORITY) for _ in range(paths.MAX_INTERMEDIATES)]
    refused(signer(first), same)


def test_a_ring_of_one_name_leads_nowhere() -> None:
    keys = [ec_key() for _ in range(4)]
    name = authority(NAME, key=keys[0]).certificate
    ring = [
        issued(NAME, Holder(certificate=name, key=key), key=keys[(number + 1) % 4], more=AUTHORITY)
        for number, key in enumerate([*keys, *keys])
    ]
    refused(signer(ring[-1]), ring)


def test_an_authority_that_may_have_no_other_below_it_has_none() -> None:
    above = issued(
        "above",
        ROOT,
        key=ec_key(),
        more=((x509.BasicConstraints(ca=True, path_length=0), True), AUTHORITY[1]),
    )
    paths.verify_path(
        signer(above).certificate, [above.certificate], anchors=[ROOT.certificate], at=AT
    )
    below = authority("below", above)
    refused(signer(below), [above, below])
