# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's manifest is the same bytes for ever: who pins a digest may rely on it."""

from __future__ import annotations

import json
from dataclasses import replace

from assay.signing.digests import sha256
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.statements import ConductReference
from registry.oci.images import Image, listed

POLICY = b'{"id":"kind","version":"1.0"}'
# The digests of the profile of docs/spec/oci.md: a change of them is another profile.
MANIFEST = "803daf389378c96f3759b3cafce7f03f575195cd8c84d159f123c72c3878c33c"
CONFIG = "3fccd8d1f23ffafc83a1e50fe70a1975bcddc29a37da76229cfc10b18d2d6c62"
REFERRERS = (
    "2493b8e81aed5426a392616467a18fa0f903fcef196baac851f92c86b5f71422",
    "445ee7ec95b3c8b4e06e169c1c0e6e51501242e3d2a78c0af27035b16c8abcdb",
)


def entry(name: str) -> FileEntry:
    return FileEntry(name=name, sha256=sha256(name.encode()), size=len(name))


def image(*names: str) -> Image:
    return Image(
        files=Manifest.of(entry(name) for name in names or ("README.md", "a/m.safetensors")),
        signature=entry("model.sigstore.json"),
        conduct=ConductReference(id="kind", version="1.0", sha256=sha256(POLICY)),
        policy=POLICY,
    )


def test_the_digests_are_those_of_the_specification() -> None:
    made = image()
    assert (made.manifest().sha256, made.config().sha256) == (MANIFEST, CONFIG)
    assert tuple(each.sha256 for each in made.referrers()) == REFERRERS


def test_a_layer_is_a_file_of_its_kind() -> None:
    names = ("LICENSE", "README.md", "a.gguf", "b.safetensors", "c.py", "config.json", "d.txt")
    found = json.loads(image(*names).manifest().content)
    kinds = [each["mediaType"].rpartition("cncf.model.")[2] for each in found["layers"]]
    doc, weight, code = "doc.v1.raw", "weight.v1.raw", "code.v1.raw"
    settings = "weight.config.v1.raw"
    assert kinds == [doc, doc, weight, weight, code, settings, settings]
    said = [each["annotations"] for each in found["layers"]]
    assert [each["org.cncf.model.filepath"] for each in said] == list(names)
    assert [each["org.opencontainers.image.title"] for each in said] == list(names)


def test_the_config_names_the_checkpoint_and_every_layer() -> None:
    made = image()
    config = json.loads(made.config().content)
    assert config["descriptor"] == {"revision": f"sha256:{made.files.id}"}
    assert config["config"] == {"format": "safetensors"}
    layers = json.loads(made.manifest().content)["layers"]
    assert config["modelfs"]["diffIds"] == [each["digest"] for each in layers]


def test_what_refers_to_it_names_it_as_its_subject() -> None:
    made = image()
    signature, rules = (json.loads(each.content) for each in made.referrers())
    assert signature["subject"] == rules["subject"] == made.manifest().descriptor()
    assert signature["artifactType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert rules["layers"][0]["digest"] == f"sha256:{sha256(POLICY)}"
    assert [
        each["artifactType"] for each in json.loads(listed(made.referrers()).content)["manifests"]
    ] == [
        signature["artifactType"],
        rules["artifactType"],
    ]


def test_bills_of_material_refer_to_it_and_change_nothing_else() -> None:
    made = image()
    listed = replace(made, boms=lambda: {"bom.cdx.json": b"{}\n", "bom.spdx3.json": b"[]\n"})
    assert listed.referrers()[:2] == made.referrers()
    kinds = [each.artifact_type for each in listed.referrers()[2:]]
    assert kinds == ["application/vnd.cyclonedx+json", "application/spdx+json"]
    digests = {each.sha256 for each in listed.documents()}
    assert {sha256(b"{}\n"), sha256(b"[]\n")} < digests
    assert listed.manifest() == made.manifest()


def test_another_signature_is_another_referrer_and_the_same_manifest() -> None:
    made = image()
    other = replace(made, signature=entry("model.sig"))
    unsigned = replace(made, signature=None)
    assert other.manifest() == unsigned.manifest() == made.manifest()
    assert other.referrers()[0] != made.referrers()[0]
    assert unsigned.referrers() == made.referrers()[1:]
