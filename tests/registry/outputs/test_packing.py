# SPDX-License-Identifier: Apache-2.0
"""A registry packs all that proves an output; it verifies where nobody knows the registry."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from assay.signing.digests import as_id
from assay.signing.pack import Pack
from registry.accounts.models import User
from registry.catalog.models import Checkpoint, Project, Visibility
from registry.conduct import services as conduct
from registry.outputs import packing, services
from registry.outputs.models import Output
from tests.registry.outputs import world
from tests.registry.people import client_of
from tests.registry.pool.world import Lab
from tests.running import Authority

pytestmark = pytest.mark.django_db
ASSAY = (sys.executable, "-m", "assay.signing.commands")


def pack_of(output: Output, by: User | None) -> Pack:
    answer = client_of(by, "outputs").get(f"/api/v1/outputs/{output.pk}/pack")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"].endswith('.assay-pack"')
    return Pack.parse(answer.content)


def sampled(lab: Lab, operator: User, *steps: int) -> Output:
    """Samples of the checkpoints of one run, one of which is signed."""
    world.trained(lab, *steps)
    services.queue_samples()
    return world.generate(operator)


def test_a_pack_walks_back_to_the_first_checkpoint(
    authority: Authority, real_lab: Lab, operator: User
) -> None:
    world.trained(real_lab, 20, 30, 40)
    services.queue_samples()
    made = [world.generate(operator) for _ in range(3)]
    last = max(made, key=lambda each: each.checkpoint.step or 0)
    pack = pack_of(last, None)
    assert pack.trust == authority.trust_root
    assert sorted(each.manifest.id for each in pack.bases) == sorted(
        Checkpoint.objects.filter(step__lt=40).values_list("manifest_sha256", flat=True)
    )
    assert pack.texts == (last.checkpoint.conduct.text.encode(),)


def test_it_verifies_where_nobody_knows_the_registry(
    authority: Authority, real_lab: Lab, operator: User, tmp_path: Path
) -> None:
    world.trained(real_lab, 20, 40)
    services.queue_samples()
    made = [world.generate(operator) for _ in range(2)]
    last = max(made, key=lambda each: each.checkpoint.step or 0)
    path, text = tmp_path / "pack", tmp_path / "text.txt"
    path.write_bytes(pack_of(last, None).canonical())
    text.write_text(last.text, encoding="utf-8")
    root = as_id(authority.trust_root.fingerprint)

    def verified(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            (*ASSAY, "verify", *words),
            env={"ASSAY_CONFIG": str(tmp_path / "nobody"), "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    now = ("--as-of", "now", "--fingerprint", root)
    code, said = verified(str(path), *now)
    assert (code, "base 1" in said, "conduct → text" in said) == (0, True, True), said
    assert verified(str(text), "--evidence", str(path), *now)[0] == 0
    assert verified(str(path), "--fingerprint", root)[0] == 29  # no witness has seen its ledger
    assert verified(str(path), "--as-of", "now")[0] == 23


def test_only_who_may_read_the_output_may_have_its_pack(
    real_lab: Lab, real_checkpoint: Checkpoint, operator: User
) -> None:
    world.ask(real_lab, real_checkpoint)
    output = world.generate(operator)
    people = real_lab.people
    assert pack_of(output, people.bob).bases == ()
    address = f"/api/v1/outputs/{output.pk}/pack"
    for stranger in (None, people.charlie):
        assert client_of(stranger, "outputs").get(address).status_code == 404


def test_before_it_is_signed_there_is_none(lab: Lab, checkpoint: Checkpoint) -> None:
    output = world.ask(lab, checkpoint)
    address = f"/api/v1/outputs/{output.pk}/pack"
    assert client_of(lab.people.bob, "outputs").get(address).status_code == 404


def test_a_pack_has_no_checkpoint_that_its_reader_may_not_see(
    real_lab: Lab, operator: User
) -> None:
    sampled(real_lab, operator, 20, 40)
    newest = Output.objects.order_by("-checkpoint__step").first()
    assert newest is not None
    assert packing.pack(newest, real_lab.people.alice).bases != ()
    Project.objects.update(visibility=Visibility.PRIVATE)
    assert packing.pack(newest, None).bases == ()


def test_who_signed_may_show_what_they_had_accepted(
    authority: Authority,
    real_lab: Lab,
    real_checkpoint: Checkpoint,
    operator: User,
    tmp_path: Path,
) -> None:
    """It verifies where nobody knows the registry, by whoever is told the root's fingerprint."""
    world.ask(real_lab, real_checkpoint)
    output, bob = world.generate(operator), real_lab.people.bob
    address = f"/api/v1/outputs/{output.pk}/pack?acceptances=true"
    answer = client_of(bob, "outputs", "publish").get(address)
    assert answer.status_code == 200
    (shown,) = Pack.parse(answer.content).acceptances
    assert shown.opening.party == bob.namespace.uri
    path = tmp_path / "pack"
    path.write_bytes(answer.content)
    root = as_id(authority.trust_root.fingerprint)
    words = ("verify", str(path), "--as-of", "now", "--fingerprint", root, "--json")
    done = subprocess.run(
        (*ASSAY, *words),
        env={"ASSAY_CONFIG": str(tmp_path / "nobody"), "PATH": ""},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (accepted,) = json.loads(done.stdout)["acceptances"]
    assert (accepted["party"], accepted["of"]) == (bob.namespace.uri, ["output"])
    assert pack_of(output, bob).acceptances == ()


def test_an_owner_of_what_is_below_shows_that_too(
    real_lab: Lab, real_checkpoint: Checkpoint, operator: User
) -> None:
    """Alice asks of what is her organisation's."""
    alice = real_lab.people.alice
    conduct.accept(real_lab.version, alice.namespace, alice)
    asked = services.Request.parse(world.asked_of(real_checkpoint))
    services.ask(asked, by=alice)
    output = world.generate(operator)
    shown = packing.pack(output, None, shown_by=alice).acceptances
    parties = {each.opening.party for each in shown}
    assert parties == {each.namespace.uri for each in (alice, real_lab.people.lab)}


def test_nobody_shows_what_others_accepted(
    real_lab: Lab, real_checkpoint: Checkpoint, operator: User
) -> None:
    sampled(real_lab, operator, 20)
    sample = Output.objects.get()
    address = f"/api/v1/outputs/{sample.pk}/pack?acceptances="
    charlie = client_of(real_lab.people.charlie, "outputs", "publish")
    answer = charlie.get(f"{address}true")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-name")
    for token in (client_of(real_lab.people.bob, "outputs"), client_of(None)):
        assert token.get(f"{address}true").status_code == 403
        assert token.get(f"{address}false").status_code == 200
        assert token.get(f"{address}yes").status_code == 422


def test_a_walk_is_no_longer_than_a_request_may_take(
    real_lab: Lab, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "MAX_BASES", 1)
    world.trained(real_lab, 20, 30, 40)
    services.queue_samples()
    made = [world.generate(operator) for _ in range(3)]
    last = max(made, key=lambda each: each.checkpoint.step or 0)
    assert len(packing.pack(last, None).bases) == 1
