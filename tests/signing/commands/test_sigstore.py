# SPDX-License-Identifier: Apache-2.0
"""`assay sigstore verify-bundle`, and the `sigstore` method of the OMS adapter."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from assay.signing import canonical
from tests.signing.commands.desk import Desk
from tests.signing.oms.models import FILES, statement_of, write_model
from tests.signing.sigstore.bundles import Made, envelope, message
from tests.signing.sigstore.instance import FILE, ISSUER, NAME, Instance

WORDS = ("--certificate-identity", NAME, "--certificate-oidc-issuer", ISSUER)
DIGEST = hashlib.sha256(FILE).hexdigest()


@pytest.fixture
def instance(desk: Desk) -> Instance:
    made = Instance()
    (desk.folder / "root.json").write_text(json.dumps(made.trusted_root()))
    (desk.folder / "weights").write_bytes(FILE)
    return made


def verify(desk: Desk, made: Made, artifact: object, *more: object) -> tuple[int, str, str]:
    bundle = desk.folder / "bundle.json"
    bundle.write_text(json.dumps(made))
    root = ("--trusted-root", desk.folder / "root.json")
    return desk.assay(
        "sigstore", "verify-bundle", artifact, "--bundle", bundle, *WORDS, *(more or root)
    )


def test_a_file_and_its_digest_verify(desk: Desk, instance: Instance) -> None:
    for made in (message(instance), envelope(instance, "dsse", "0.0.1")):
        for artifact in (desk.folder / "weights", f"sha256:{DIGEST}", DIGEST):
            code, out, err = verify(desk, made, artifact)
            assert (code, err) == (0, "")
            assert "Verified." in out
            assert NAME in out


def test_a_refusal_names_its_step(desk: Desk, instance: Instance) -> None:
    made = envelope(instance, "dsse", "0.0.1")
    code, out, err = verify(desk, made, "0" * 64)
    assert (code, "digest-mismatch" in err) == (19, True)
    (desk.folder / "root.json").write_text(json.dumps(Instance().trusted_root()))
    code, out, err = verify(desk, made, DIGEST)
    assert (code, "1 Is it known when" in out) == (16, True)
    assert "bad-timestamp" in err


def test_the_root_may_be_kept_beside_the_pins(
    desk: Desk, instance: Instance, tmp_path: Path
) -> None:
    made = message(instance)
    bundle = desk.folder / "bundle.json"
    bundle.write_text(json.dumps(made))
    words = ("sigstore", "verify-bundle", DIGEST, "--bundle", bundle, *WORDS)
    assert desk.assay(*words)[0] == 23
    (tmp_path / "config").mkdir()
    kept = tmp_path / "config" / "sigstore-trusted-root.json"
    kept.write_text(json.dumps(instance.trusted_root()))
    assert desk.assay(*words)[0] == 0
    assert desk.assay(*words, "--trusted-root", desk.folder / "absent")[0] == 30


def test_a_model_that_was_signed_keyless_verifies(desk: Desk, instance: Instance) -> None:
    model = write_model(desk.folder / "tiny")
    bundle = desk.folder / "model.sig"
    payload = canonical.dumps(statement_of(FILES))
    bundle.write_text(json.dumps(envelope(instance, "dsse", "0.0.1", payload=payload)))
    words = (
        *("oms", "verify-model", "--method", "sigstore", "--model-path", model),
        *("--bundle", bundle, "--trusted-root", desk.folder / "root.json"),
    )
    who = ("--identity", NAME, "--identity-provider", ISSUER)
    assert desk.assay(*words, *who) == (0, "", "")
    assert desk.assay(*words)[0] == 2
    assert desk.assay(*words, "--identity", NAME)[0] == 2
    assert desk.assay(*words, "--identity", NAME, "--identity-provider", "x")[0] == 42
    (model / "config.json").write_bytes(b"")
    assert desk.assay(*words, *who)[0] == 20
    bundle.write_text(json.dumps(message(instance)))
    assert desk.assay(*words, *who)[0] == 19
    other = envelope(instance, "dsse", "0.0.1", payload=payload, payload_type="text/plain")
    bundle.write_text(json.dumps(other))
    assert desk.assay(*words, *who)[0] == 12
