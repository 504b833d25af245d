# SPDX-License-Identifier: Apache-2.0
"""`assay oms sign-model --method sigstore`: without a key, by the config that the user names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.signing.keys import SoftwareKey
from tests.signing.client.services import serving
from tests.signing.commands.desk import Desk
from tests.signing.oms.models import write_model
from tests.signing.sigstore.instance import ISSUER, NAME


def test_a_model_is_signed_and_verifies(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    model, bundle = write_model(desk.folder / "tiny"), desk.folder / "model.sig"
    config, root = desk.folder / "config.json", desk.folder / "root.json"
    method = ("--method", "sigstore", "--model-path", model)
    with serving() as services:
        # These services certify one key; the program takes it for its new one.
        key = SoftwareKey(private=services.instance.signer)
        monkeypatch.setattr(SoftwareKey, "generate", lambda: key)
        config.write_text(json.dumps(services.config()))
        root.write_text(json.dumps(services.instance.trusted_root()))
        words = ("--output-bundle", bundle, "--identity-token", "a.b.c", "--trust-config", config)
        assert desk.assay("oms", "sign-model", *method, *words) == (0, "", "")
    who = ("--identity", NAME, "--identity-provider", ISSUER, "--trusted-root", root)
    verify = ("oms", "verify-model", *method, "--bundle", bundle, *who)
    assert desk.assay(*verify) == (0, "", "")
    assert bundle.stat().st_mode & 0o777 == 0o644
    (model / "config.json").write_bytes(b"{] ")
    assert desk.assay(*verify)[0] == 20


def test_it_needs_a_token_and_a_config(desk: Desk, tmp_path: Path) -> None:
    model, bundle = write_model(desk.folder / "tiny"), desk.folder / "model.sig"
    words = (
        *("oms", "sign-model", "--method", "sigstore", "--model-path", model),
        *("--output-bundle", bundle),
    )
    assert desk.assay(*words)[0] == 2
    token = ("--identity-token", "a.b.c")
    assert desk.assay(*words, *token)[0] == 23
    kept = tmp_path / "config" / "sigstore-trust-config.json"
    kept.parent.mkdir(exist_ok=True)
    with serving() as services:
        kept.write_text(json.dumps(services.config()))
        code, out, err = desk.assay(*words, *token)
        # A key of its own, which these services did not certify: what comes back does not verify.
        assert (code, out, "bad-signature" in err) == (15, "", True)
        assert not bundle.exists()
        services.answers["/api/v2/signingCert"] = (401, b'{"message":"no such token"}')
        assert desk.assay(*words, *token, "--trust-config", kept)[0] == 5
        assert desk.assay(*words, *token, "--trust-config", tmp_path / "none")[0] == 30
