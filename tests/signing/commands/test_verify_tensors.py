# SPDX-License-Identifier: Apache-2.0
"""`assay verify FOLDER` says which tensor is another, where the statement names tensors."""

from __future__ import annotations

from dataclasses import replace

from assay.signing.certificates import Purpose
from tests.registry.catalog.weights import weights
from tests.signing.commands.desk import Desk
from tests.signing.naming import naming
from tests.signing.test_tensors import FILES, TWO, listed, written


def test_the_command_says_which_tensor_differs(desk: Desk) -> None:
    desk.pin()
    folder = written(desk.folder / "weights")
    evidence = naming(desk.world, FILES, listed(folder))
    desk.write("weights.assay.json", evidence)
    code, out, _ = desk.assay("verify", folder)
    assert (code, "2 tensors" in out) == (0, True)
    written(folder, {"model.safetensors": weights({**TWO, "head": b"\x04\x06"})})
    code, out, _ = desk.assay("verify", folder)
    assert code == 20
    assert "changed: 'head' of model.safetensors" in " ".join(out.split())
    elsewhere = (desk.folder / "weights.assay.json").rename(desk.folder / "elsewhere.json")
    code, out, _ = desk.assay("verify", elsewhere, "--checkpoint", folder)
    assert "changed: 'head' of model.safetensors" in " ".join(out.split())


def test_what_is_no_statement_names_no_tensors(desk: Desk) -> None:
    desk.pin()
    folder = written(desk.folder / "weights")
    evidence = desk.world.evidence_for_upload(FILES)
    signed = desk.world.sign_payload(b"?", Purpose.CHECKPOINT, "alice")
    bundles = {**evidence.bundles, "checkpoint": desk.world.bundle(signed)}
    desk.write("weights.assay.json", replace(evidence, bundles=bundles))
    code, out, _ = desk.assay("verify", folder)
    assert (code, "tensors" in out) == (12, False)
    alone = {name: each for name, each in bundles.items() if name != "checkpoint"}
    desk.write("weights.assay.json", replace(evidence, bundles=alone))
    assert desk.assay("verify", folder)[0] == 24
