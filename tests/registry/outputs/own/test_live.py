# SPDX-License-Identifier: Apache-2.0
"""A running registry and keys of callers' own: 50 at once, and `assay sign` with a token."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from assay import trust_root
from assay.signing.digests import as_id
from registry.conduct import services as conduct
from registry.ledger.models import Statement
from registry.outputs.models import Output, State
from tests import media
from tests.registry.outputs import world
from tests.registry.outputs.owning import OWN, Owner
from tests.registry.people import client_of, invite, secret_of
from tests.registry.pool.world import found
from tests.running import Live
from tests.signing import pki, softhsm
from tests.signing.softhsm import MODULE, needs_softhsm

pytestmark = pytest.mark.django_db(transaction=True)
ASSAY = (sys.executable, "-m", "assay.signing.commands")
AT_ONCE = 50


@pytest.mark.parametrize("key", ["", "1"], ids=["without a key", "with one"])
def test_fifty_at_once_have_one_effect(live: Live, key: str) -> None:
    people = invite()
    checkpoint = world.published(found(people))
    owner = Owner(client=client_of(people.bob, "outputs"), checkpoint=checkpoint)
    body, token = owner.body(), secret_of(people.bob, "outputs")
    statements = Statement.objects.count()

    def send(_number: int) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        with live.client(token) as client:
            return client.post(OWN, json=body, headers=headers)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        told = list(threads.map(send, range(AT_ONCE)))
    taken = [each.json()["id"] for each in told if each.status_code == 201]
    assert set(taken) == {body["output"]}
    busy = {each.json()["code"] for each in told if each.status_code != 201}
    assert busy <= ({"idempotency-in-progress"} if key else set())
    assert Output.objects.get().state == State.SIGNED
    assert Statement.objects.count() == statements + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A company with a token, which trusts a registry and has accepted a checkpoint's rules."""

    folder: Path
    environment: dict[str, str]
    key: str
    """Its URI."""
    digest: str
    signs: tuple[object, ...]
    """The words by which it has a file signed."""

    def assay(self, *words: object) -> tuple[int, str]:
        done = subprocess.run(
            (*ASSAY, *map(str, words)),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def shop(live: Live, tmp_path: Path) -> Shop:
    people = invite()
    checkpoint = world.published(found(people))
    charlie = people.charlie
    conduct.accept(checkpoint.conduct, charlie.namespace, charlie)
    hsm = softhsm.make(tmp_path / "hsm")
    where = f"module-path={MODULE}&pin-source={hsm.place.pin_file}"
    environment = {
        "ASSAY_CONFIG": str(tmp_path / "config"),
        "ASSAY_TOKEN": secret_of(charlie, "outputs"),
        "SOFTHSM2_CONF": str(hsm.config),
        "PATH": os.environ["PATH"],
    }
    signs = ("--checkpoint", as_id(checkpoint.manifest_sha256), "--registry", live.url)
    made = Shop(
        folder=tmp_path,
        environment=environment,
        key=f"pkcs11:token={hsm.place.token};object=outputs?{where}",
        digest=as_id(in_a_program(hsm)),
        signs=signs,
    )
    root = tmp_path / "root.json"
    with live.client() as anyone:
        root.write_bytes(anyone.get("/.well-known/assay/trust-root.json").content)
    fingerprint = as_id(trust_root(root).fingerprint)
    assert made.assay("trust", "add", root, "--fingerprint", fingerprint)[0] == 0
    return made


@needs_softhsm
def test_assay_signs_with_a_key_in_a_token(shop: Shop) -> None:
    text, assay = shop.folder / "text.txt", shop.assay
    text.write_text("made elsewhere, of this checkpoint\n")
    sign = ("sign", text, *shop.signs)
    code, said = assay(*sign, "--key", shop.key)
    assert (code, f"By your own key: {shop.digest}" in said) == (0, True), said
    assert assay("verify", text, "--signer-key", shop.digest)[0] == 0
    assert assay("verify", text, "--signer-key", as_id("0" * 64))[0] == 53

    Path(f"{text}.assay.json").unlink()
    assert assay(*sign, "--key", shop.key)[0] == 0  # goes on where it was cut off
    assert Output.objects.count() == 1
    Path(f"{text}.assay.json").unlink()
    assert assay(*sign)[0] == 0  # the registry's signer, for the same words
    assert assay("verify", text, "--signer-key", shop.digest)[0] == 53
    assert assay(*sign, "--key", shop.key)[0] == 35


@needs_softhsm
def test_a_picture_gets_a_manifest_by_a_certificate_that_was_bought(shop: Shop) -> None:
    sold_by = pki.authority("A C2PA authority")
    leaf = pki.signer(sold_by, purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,))
    picture, chain, media_key, anchors = (
        shop.folder / name for name in ("picture.png", "chain.pem", "c2pa.pem", "anchors.pem")
    )
    picture.write_bytes(media.picture("PNG"))
    chain.write_bytes(leaf.pem)
    media_key.write_bytes(leaf.key_pem)
    media_key.chmod(0o600)
    anchors.write_bytes(sold_by.pem)
    manifest = ("--c2pa-chain", chain, "--c2pa-key", media_key)
    code, said = shop.assay("sign", picture, *shop.signs, "--key", shop.key, *manifest)
    assert (code, "by your own certificate" in said) == (0, True), said
    verify = ("verify", picture, "--signer-key", shop.digest)
    code, said = shop.assay(*verify, "--c2pa-anchors", anchors)
    assert (code, "Verified." in said) == (0, True), said
    code, said = shop.assay(*verify)
    assert (code, "NOT who signed its C2PA manifest" in said) == (0, True), said


def in_a_program(hsm: softhsm.SoftHsm) -> str:
    """Makes the key in a process of its own, as the module reads its configuration once."""
    program = (
        "import sys; from pathlib import Path; from assay.signing.pkcs11 import Token; "
        "from assay.signing.keys import Curve, spki; from assay.signing.digests import sha256; "
        "token = Token(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])); "
        "print(sha256(spki(token.generate('outputs', Curve.P256).public_key)))"
    )
    words = (str(MODULE), hsm.place.token, str(hsm.place.pin_file))
    done = subprocess.run(
        (sys.executable, "-c", program, *words),
        env={"SOFTHSM2_CONF": str(hsm.config), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()
