# SPDX-License-Identifier: Apache-2.0
"""Whatever an entry is, its page says what, gives its bytes, and names commands that agree."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_certificates
from django.conf import settings
from django.test import Client
from pytest_django import DjangoDbBlocker

from assay.signing import certificates as x509
from assay.signing import entries
from assay.signing.certificates import Chain, Purpose
from assay.signing.keys import SoftwareKey
from registry.ledger import certificates, queries, services
from registry.ledger.certificates import Wanted
from registry.ledger.models import Precertificate
from registry.site import bodies
from registry.site.bodies import OtherEntry
from tests.registry.site.test_pages import indexes_of
from tests.registry.undone import undone
from tests.running import Authority, Live

SIGNED = b"a file of somebody's\n"
CONDUCT = "ab" * 32
KINDS = {
    "root": "the root certificate of this registry",
    "intermediate": "the certificate of an authority below the root",
    "announced": "a certificate, announced before it was issued",
    "hashed": "a signature, logged as hashedrekord/0.0.2",
    "dsse": "a signature, logged as dsse/0.0.1",
    "unknown": "bytes of a kind that this page does not know",
    "binary": "bytes of a kind that this page does not know",
}


def make() -> dict[str, int]:
    """Where an entry of each kind is."""
    key = SoftwareKey.generate()
    chain = certified(key)
    signature = key.sign(SIGNED)
    found = {
        "hashed": entries.hashed(
            digest=hashlib.sha256(SIGNED).digest(), signature=signature, certificate=chain.leaf
        ),
        "dsse": entries.dsse(
            envelope=b"{}", payload=b"{}", signature=signature, certificate=chain.leaf
        ),
        "unknown": b'{"kind":"of tomorrow"}',
        "binary": b"\xff\x00",
    }
    logged = {name: services.log(body) for name, body in found.items()}
    services.integrate()
    for entry in logged.values():
        entry.refresh_from_db()
    return {
        **places_of_certificates(),
        **{name: services.index_of(entry) for name, entry in logged.items()},
    }


@pytest.fixture(scope="module")
def logged_once(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, authority: Authority
) -> Iterator[dict[str, int]]:
    with undone(django_db_blocker):
        yield make()


@pytest.fixture
def indexes(
    logged_once: dict[str, int], django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, int]]:
    with undone(django_db_blocker):
        yield logged_once


def certified(key: SoftwareKey) -> Chain:
    subject = f"{settings.PUBLIC_URL}/nodes/7b3c1f6e-0a4d-4c3c-9d55-0f0f3f0d9a11"
    csr = x509.request(key, subject=subject)
    return certificates.issue(
        Wanted(purpose=Purpose.NODE, subject=subject, csr=csr, conduct_sha256=CONDUCT)
    )


def places_of_certificates() -> dict[str, int]:
    """By what their pages say, from the first entry on."""
    found: dict[str, int] = {}
    for index in range(queries.tree_head().size):
        text = page(f"/ledger/entries/{index}")
        for name in ("root", "intermediate", "announced"):
            if KINDS[name] in text:
                found[name] = index
    return found


def page(url: str, status: int = 200) -> str:
    answer = Client().get(url)
    assert answer.status_code == status
    return unescape(answer.content.decode())


def commands_of(text: str) -> list[tuple[str, str]]:
    """Each command in "Check it yourself", and what it answers if it agrees."""
    part = text.partition('id="check"')[2]
    commands = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", part, re.DOTALL)
    answers = re.findall(r'<code class="answer">(.*?)</code>', part)
    return list(zip(commands, answers, strict=False))


def run(command: str, live: Live, folder: Path) -> str:
    """What the command says, in a shell that stops at the first error."""
    ended = subprocess.run(
        ("bash", "-euo", "pipefail", "-c", command.replace(settings.PUBLIC_URL, live.url)),
        cwd=folder,
        env={**os.environ, "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


def test_each_page_says_what_its_entry_is(indexes: dict[str, int]) -> None:
    assert set(indexes) == set(KINDS)
    for name, index in indexes.items():
        assert KINDS[name] in page(f"/ledger/entries/{index}")


def test_each_entry_can_be_downloaded_as_it_was_logged(indexes: dict[str, int]) -> None:
    for index in indexes.values():
        answer = Client().get(f"/ledger/entries/{index}.entry")
        assert answer.content == bytes(queries.entry(index).body)
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{index}.entry"'
        assert "immutable" in answer.headers["Cache-Control"]


def test_only_what_never_changes_is_cached_for_ever(indexes: dict[str, int]) -> None:
    base = f"/ledger/entries/{indexes['hashed']}"
    assert "immutable" in Client().get(f"{base}.sig").headers["Cache-Control"]
    assert Client().get(f"{base}.pem").headers["Cache-Control"] == "no-cache"


def test_the_certificates_of_an_announced_one_grow_once_it_is_issued(
    indexes: dict[str, int],
) -> None:
    url = f"/ledger/entries/{indexes['announced']}.pem"
    issued = Client().get(url).content
    Precertificate.objects.all().delete()
    announced = Client().get(url)
    assert (len(load_pem_x509_certificates(issued)), announced.headers["Cache-Control"]) == (
        2,
        "no-cache",
    )
    assert len(load_pem_x509_certificates(announced.content)) == 1


def test_every_command_on_the_pages_agrees(
    live: Live, authority: Authority, tmp_path: Path
) -> None:
    indexes = make()
    (tmp_path / "FILE").write_bytes(SIGNED)
    counts: dict[str, int] = {}
    for name, index in indexes.items():
        checks = commands_of(page(f"/ledger/entries/{index}"))
        for command, answer in checks:
            assert answer in run(command, live, tmp_path), command
        counts[name] = len(checks)
    with_certificate = dict.fromkeys(("root", "intermediate", "announced", "dsse"), 2)
    assert counts == {**with_certificate, "hashed": 3, "unknown": 1, "binary": 1}


def test_an_announced_certificate_names_whom_it_is_for(indexes: dict[str, int]) -> None:
    text = page(f"/ledger/entries/{indexes['announced']}")
    assert "/nodes/7b3c1f6e" in text
    assert "was issued, and is not revoked" in text


@pytest.mark.parametrize("name", ["hashed", "dsse"])
def test_the_pieces_of_a_signature_are_what_was_logged(indexes: dict[str, int], name: str) -> None:
    base = f"/ledger/entries/{indexes[name]}"
    held = load_pem_x509_certificate(Client().get(f"{base}.pem").content)
    key = held.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(Client().get(f"{base}.sig").content, SIGNED, ec.ECDSA(SHA256()))


@pytest.mark.parametrize("verifier", ["eA==", "", 7])
def test_what_only_looks_like_a_signature_is_not_known(verifier: object) -> None:
    signed = {"signature": "AA==", "verifier": verifier}
    spec = {"payloadHash": {"algorithm": "sha256", "value": "ab" * 32}, "signatures": [signed]}
    body = json.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}).encode()
    assert bodies.read(body) == OtherEntry()
    assert bodies.read(body.replace(b"[", b"[{},")) == OtherEntry()


@pytest.mark.parametrize("piece", ["{}.pem", "{}.sig"])
def test_what_has_no_such_piece_says_so(indexes: dict[str, int], piece: str) -> None:
    answer = Client().get(f"/ledger/entries/{piece.format(indexes['unknown'])}")
    assert answer.status_code == 404


def test_the_list_leaves_no_entry_out(indexes: dict[str, int]) -> None:
    size = queries.tree_head().size
    found = indexes_of(page("/ledger"))
    assert found == list(range(size - 1, -1, -1))
    for words in ("root certificate", "authority's certificate", "signature", "unknown"):
        assert words in page("/ledger")


@pytest.mark.parametrize("index", ["999", "-1", "x", "007", "٣", "1" * 99, str(2**63)])
def test_an_index_of_nothing_is_said_to_be_none(indexes: dict[str, int], index: str) -> None:
    text = page(f"/ledger/entries/{index}", 404)
    assert f"There is no entry {index[:40]}" in text
    size = queries.tree_head().size
    assert f"The ledger has {size} entries, numbered from 0 to {size - 1}." in text
    assert Client().get(f"/ledger/entries/{index}.entry").status_code == 404


def test_an_empty_ledger_has_no_entry_yet(transactional_db: None) -> None:
    assert "Nothing has been logged yet." in page("/ledger/entries/0", 404)
