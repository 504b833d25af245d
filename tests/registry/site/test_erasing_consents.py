# SPDX-License-Identifier: Apache-2.0
"""A person leaves: what their own key signed goes with them, and the key's name, too."""

from __future__ import annotations

import pytest
from django.utils import timezone

from assay.signing.digests import sha256
from assay.signing.keys import SoftwareKey
from assay.signing.statements import Consent, ConsentClaim
from registry.accounts import services as accounts
from registry.audit import queries as audit
from registry.conduct import queries
from registry.conduct.models import Acceptance
from registry.site import erasing
from tests.registry.conduct.published import first_version
from tests.registry.people import client_of
from tests.registry.site.leaving import NAME, naming
from tests.running import Authority

pytestmark = pytest.mark.django_db


def test_what_their_own_key_signed_goes_with_them(authority: Authority) -> None:
    version, person = first_version(), accounts.create_user(NAME)
    claim = ConsentClaim(
        conduct=queries.reference(version),
        text_sha256=sha256(version.text.encode()),
        party=person.namespace.uri,
        agreed_at=timezone.now().replace(microsecond=0),
    )
    given = Consent.by(SoftwareKey.generate(), claim)
    url = f"{version.path}/acceptances"
    answer = client_of(person, "publish").post(
        f"/api/v1{url}", {"consent": given.to_json()}, format="json", HTTP_IDEMPOTENCY_KEY="once"
    )
    assert answer.status_code == 201
    traces = (given.key.hex(), given.key_sha256, answer.json()["consent"]["envelope"]["payload"])
    assert [naming(each) != set() for each in traces] == [True] * 3
    before = Acceptance.objects.get(key__isnull=False).statement.payload
    erasing.erase(NAME)
    assert [naming(each) for each in traces] == [set()] * 3
    left = Acceptance.objects.get()
    assert (left.consent, left.key, bytes(left.salt)) == (None, None, b"")
    assert left.statement.payload == before  # a commitment that nothing opens
    assert audit.verify().redacted > 0
    assert queries.live_acceptance(left.party, version) is None
