# SPDX-License-Identifier: Apache-2.0
"""Whoever signed a text in a batch pastes it, and the page that verifies finds its proof."""

from __future__ import annotations

from uuid import UUID

import pytest

from assay.signing.digests import sha256
from registry.outputs.batches import services
from registry.outputs.batches.lines import Submission
from tests.frontend.handed import desk, unheard, verdict
from tests.frontend.signing_in import cookies_of
from tests.frontend.visitor import Visitor
from tests.registry.outputs.batches.test_finding import with_normalised
from tests.registry.site.world import Shown

TEXT = "signed with many others\n"


@pytest.fixture
def batch(shown: Shown) -> UUID:
    """Bob's, of this text and others."""
    texts = (TEXT, "one\n", "another\n")
    submission = Submission.parse(with_normalised(shown.checkpoint, *texts).decode())
    batch, _ = services.take(submission, by=shown.lab.people.bob)
    services.advance(batch.pk)
    return batch.pk


@pytest.fixture
def bobs(shown: Shown) -> dict[str, str]:
    """Before the browser starts."""
    return cookies_of(shown.lab.people.bob)


def test_a_text_of_ones_own_batch_is_found_and_verified(
    batch: UUID, bobs: dict[str, str], visitor: Visitor
) -> None:
    visitor.cookies = bobs
    page = desk(visitor)
    page.get_by_label("Or paste a text").fill(TEXT)
    page.get_by_role("button", name="Verify the text").click()
    assert "says that the text, to the byte, was made from" in verdict(page, "Verified.")
    page.get_by_label("Or paste a text").fill(TEXT.replace("\n", " \n"))
    page.get_by_role("button", name="Verify the text").click()
    assert "They are not the very bytes" in verdict(page, "Same after normalising.")
    unheard(visitor)


def test_nobody_else_finds_it(batch: UUID, visitor: Visitor) -> None:
    page = desk(visitor)
    page.get_by_label("A SHA-256").fill(sha256(TEXT.encode()))
    page.get_by_role("button", name="Look it up").click()
    verdict(page, "Unknown here, which proves nothing.")
    unheard(visitor)
