# SPDX-License-Identifier: Apache-2.0
"""SECURITY.md counts the keys and the requests that there are, and the signer's page names all."""

from __future__ import annotations

import re

import pytest

from assay.signing.certificates import Purpose
from assay.signing.signer.administration import AdministrationOp
from assay.signing.signer.claims import ClaimOp
from assay.signing.signer.protocol import Op
from assay.signing.signer.revocations import RevocationOp
from assay.signing.signer.vouchers import VoucherOp

from .sources import ROOT

KINDS = (Op, RevocationOp, AdministrationOp, VoucherOp, ClaimOp)
REQUESTS = {each.value for ops in KINDS for each in ops}
ROW = re.compile(r"^\| `([a-z_]+)` \|", re.MULTILINE)


def page(name: str) -> str:
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("number", "of"), [(len(Purpose), "intermediates"), (len(REQUESTS), "requests")]
)
def test_keys_and_requests_are_counted_as_they_are(number: int, of: str) -> None:
    counted = re.findall(rf"(\d+) {of}\b", page("SECURITY.md"))
    assert counted == [str(number)]


def test_every_request_to_the_signer_is_described() -> None:
    text = (ROOT / "docs" / "spec" / "signer.md").read_text(encoding="utf-8")
    assert set(ROW.findall(text)) - {"op"} == REQUESTS


def test_every_kind_of_request_is_counted() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "signing/signer").glob("*.py"))
    kinds = {kind.__name__ for kind in KINDS}
    assert set(re.findall(r"^class (\w*Op)\(StrEnum\)", sources, re.MULTILINE)) == kinds
