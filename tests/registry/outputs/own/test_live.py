# SPDX-License-Identifier: Apache-2.0
"""A running registry and keys of callers' own: 50 at once, and `assay sign` with a token."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from assay.signing.digests import as_id
from assay.signing.offline import trust_root
from registry.conduct import services as conduct
from registry.ledger.models import Statement
from registry.outputs.models import Output, State
from tests.registry.outputs import world
from tests.registry.outputs.owning import OWN, Owner
from tests.registry.people import client_of, invite, secret_of
from tests.registry.pool.world import found
from tests.running import Live
from tests.signing import softhsm
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


@needs_softhsm
def test_assay_signs_with_a_key_in_a_token(live: Live, tmp_path: Path) -> None:
    people = invite()
    checkpoint = world.published(found(people))
    charlie = people.charlie
    conduct.accept(checkpoint.conduct, charlie.namespace, charlie)
    hsm = softhsm.make(tmp_path / "hsm")
    made = in_a_program(hsm)
    root, text = tmp_path / "root.json", tmp_path / "text.txt"
    with live.client() as anyone:
        root.write_bytes(anyone.get("/.well-known/assay/trust-root.json").content)
    text.write_text("made elsewhere, of this checkpoint\n")
    environment = {
        "ASSAY_CONFIG": str(tmp_path / "config"),
        "ASSAY_TOKEN": secret_of(charlie, "outputs"),
        "SOFTHSM2_CONF": str(hsm.config),
        "PATH": os.environ["PATH"],
    }

    def assay(*words: object) -> tuple[int, str]:
        done = subprocess.run(
            (*ASSAY, *map(str, words)),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    assert assay("trust", "add", root, "--fingerprint", as_id(trust_root(root).fingerprint))[0] == 0
    place = hsm.place
    where = f"module-path={MODULE}&pin-source={place.pin_file}"
    uri = f"pkcs11:token={place.token};object=outputs?{where}"
    sign = ("sign", text, "--checkpoint", as_id(checkpoint.manifest_sha256), "--registry", live.url)
    code, said = assay(*sign, "--key", uri)
    assert (code, f"By your own key: {as_id(made)}" in said) == (0, True), said
    assert assay("verify", text, "--signer-key", as_id(made))[0] == 0
    assert assay("verify", text, "--signer-key", as_id("0" * 64))[0] == 53

    Path(f"{text}.assay.json").unlink()
    assert assay(*sign, "--key", uri)[0] == 0  # goes on where it was cut off
    assert Output.objects.count() == 1
    Path(f"{text}.assay.json").unlink()
    assert assay(*sign)[0] == 0  # the registry's signer, for the same words
    assert assay("verify", text, "--signer-key", as_id(made))[0] == 53
    assert assay(*sign, "--key", uri)[0] == 35


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
