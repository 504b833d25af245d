# SPDX-License-Identifier: Apache-2.0
"""What the C2PA library asks of this process: timestamps and signatures, and why there are none."""

from __future__ import annotations

import io
from dataclasses import replace

import httpx
import pytest

from assay.signing.media import Callback
from assay.signing.mediatypes import Kind
from assay.signing.signer.errors import NotCertified, SignerUnavailable
from registry.outputs.credentials import library
from registry.outputs.credentials.errors import MediaUnusable
from registry.outputs.credentials.library import Office
from registry.outputs.credentials.stamping import MAX_QUERY_BYTES, answering
from tests.signing.studio import CONTENT, Studio


def test_only_who_has_the_address_is_answered() -> None:
    with (
        answering(Callback(lambda query: query[::-1])) as url,
        httpx.Client(trust_env=False) as client,
    ):
        assert client.post(url, content=b"abc").content == b"cba"
        assert client.post(url + "x", content=b"abc").status_code == 404
        assert client.post(url, content=b"x" * (MAX_QUERY_BYTES + 1)).status_code == 404
        assert client.get(url).status_code == 501
    with pytest.raises(httpx.ConnectError), httpx.Client(trust_env=False) as client:
        client.post(url, content=b"abc")


def away(_: bytes) -> bytes:
    raise SignerUnavailable("no signer answers")


def uncertified(_: bytes) -> bytes:
    raise NotCertified("expected a certificate, found none")


@pytest.mark.parametrize(
    ("changes", "raised"),
    [({"stamp": away}, SignerUnavailable), ({"sign": uncertified}, NotCertified)],
)
def test_why_there_is_no_manifest_comes_out_as_it_was(
    changes: dict[str, library.Answer], raised: type[Exception]
) -> None:
    studio = Studio.open()
    office: Office = replace(studio.office(), **changes)  # type: ignore[arg-type]  # two callables
    target = io.BytesIO()
    with pytest.raises(raised):
        library.embed(
            studio.definition(), Kind.PNG, source=io.BytesIO(CONTENT), target=target, by=office
        )
    with pytest.raises(raised):
        library.sidecar(studio.definition(), sha256="1" * 64, by=office)


def test_another_c2pa_manifest_than_one_that_can_be_made_is_said_so() -> None:
    with pytest.raises(MediaUnusable, match="of which c2pa says: "):
        library.sidecar({"claim_version": "none"}, sha256="1" * 64, by=Studio.open().office())
