# SPDX-License-Identifier: Apache-2.0
"""Evidence packs on the page that verifies, and what was revoked later than it is proven to be."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Page, expect

from assay.signing import archive, canonical
from assay.signing.digests import as_id
from assay.signing.pack import Pack
from registry.outputs import packing
from tests.frontend.handed import desk, failed, hand_in, verdict
from tests.frontend.test_accessibility import LOOKS, violations
from tests.frontend.visitor import View, Visitor
from tests.registry.site.world import Shown

Json: TypeAlias = Any
VECTORS = Path(__file__).parents[1] / "vectors"


def vectors(name: str) -> Json:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="ascii"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A pack of another registry, about one output, and its text; and what to name for it."""

    pack: Path
    text: Path
    root: str
    policy: str


@pytest.fixture
def packed(tmp_path: Path) -> Packed:
    given = vectors("packs")
    whole = archive.write({name: b64decode(data) for name, data in given["files"].items()})
    found = Pack.parse(whole)
    pack, text = tmp_path / "hello.assay-pack", tmp_path / "hello.py"
    pack.write_bytes(replace(found, artifacts=found.artifacts[:1]).canonical())
    text.write_text(given["text"], encoding="utf-8")
    root, policy = as_id(given["fingerprint"]), as_id(given["policy_sha256"])
    return Packed(pack=pack, text=text, root=root, policy=policy)


def name(page: Page, *, root: str = "", policy: str = "") -> None:
    page.get_by_label("The fingerprint that you have").fill(root)
    page.get_by_label("The digest of the policy that you have").fill(policy)


def parts(page: Page) -> list[tuple[str, str]]:
    return [
        (str(each.get_attribute("data-part")), str(each.get_attribute("data-state")))
        for each in page.locator(".result .link").all()
    ]


def test_with_the_network_cut_a_pack_verifies_by_what_its_reader_names(
    packed: Packed, visitor: Visitor
) -> None:
    page = desk(visitor)
    page.context.set_offline(offline=True)
    name(page, root=packed.root, policy=packed.policy)
    hand_in(page, packed.pack, packed.text)
    said = verdict(page, "Verified.")
    assert said.startswith("The file hello.py is, to the byte, what the registry")
    assert "Its run continued from alice/tiny@step-100, verified as well." in said
    assert (
        "alice accepted community-language-models, version 1.0, on 2026-11-20, in entry 0" in said
    )
    assert "before signing this: output, checkpoint, alice/tiny@step-100." in said
    below = ("run", "base-1", "dataset", "conduct", "acceptance-1")
    assert parts(page) == [(part, "intact") for part in ("output", "checkpoint", *below)]
    expect(page.locator("[data-rests]")).to_contain_text("whose fingerprint you compared")
    known = page.locator("[data-known]")
    expect(known).to_contain_text("known for 2026-11-20 10:30:00 UTC.")
    expect(known).to_contain_text("what was revoked later is not known here")
    expect(known).to_contain_text("seen by w1 on 2026-11-20 at 09:30:00 UTC, w2 on 2026-11-20")


def test_nobody_is_believed_for_being_in_a_pack(packed: Packed, visitor: Visitor) -> None:
    page = desk(visitor)
    hand_in(page, packed.pack, packed.text)
    said = verdict(page, "From a registry that you do not trust here.")
    assert "this pack comes from http://registry.test" in said
    assert packed.root in said
    name(page, root=packed.root)
    verdict(page, "Not judged.")
    sentences = page.locator("[data-sentences]")
    expect(sentences).to_contain_text("Expected a policy of witnesses that you gave")
    name(page, root=packed.root, policy=packed.root)
    expect(sentences).to_contain_text(f"Found: {packed.policy}")
    expect(page.locator("[data-behind]")).to_be_hidden()
    name(page, root=packed.root)
    page.get_by_label("Judge evidence packs as of now").check()
    verdict(page, "Verified.")
    name(page, root=packed.policy)
    expect(page.get_by_role("alert").filter(has_text="another fingerprint")).to_be_visible()
    expect(page.locator(".result")).to_have_count(0)


@pytest.fixture
def own(shown: Shown, tmp_path: Path) -> Path:
    """A pack of this registry, written before the browser starts."""
    path = tmp_path / "own.assay-pack"
    path.write_bytes(packing.pack(shown.sample, None).canonical())
    return path


def test_a_pack_of_this_registry_rests_on_its_own_word(own: Path, visitor: Visitor) -> None:
    page = desk(visitor)
    page.get_by_label("Judge evidence packs as of now").check()
    hand_in(page, own)
    assert "No text was at hand to compare" in verdict(page, "Verified.")
    expect(page.locator("[data-rests]")).to_contain_text("the registry's own word about itself")


def test_a_changed_pack_cannot_be_read(packed: Packed, visitor: Visitor) -> None:
    page = desk(visitor)
    data = bytearray(packed.pack.read_bytes())
    data[len(data) // 2] ^= 1
    packed.pack.write_bytes(bytes(data))
    hand_in(page, packed.pack)
    assert verdict(page, "It cannot be read.").startswith("hello.assay-pack: archive: expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """Evidence that a certificate behind it was revoked, and whom to believe."""

    text: Path
    evidence: Path
    root: Path
    policy: Path


def revoked(folder: Path, when: str) -> Revoked:
    """With effect from before, at or after the time that witnesses prove."""
    given = vectors("standings")
    wanted = f"a list revokes the leaf from {when} the proven time on"
    (case,) = [each for each in given["standings"] if each["name"] == wanted]
    evidence = {**given["evidence"], "revocation_lists": case["lists"]}
    found = Revoked(
        text=folder / "hello.py",
        evidence=folder / "hello.assay.json",
        root=folder / "root.json",
        policy=folder / "policy",
    )
    found.text.write_text(given["text"], encoding="utf-8")
    found.evidence.write_bytes(canonical.dumps(evidence))
    found.root.write_text(json.dumps(given["trust_root"]), encoding="utf-8")
    found.policy.write_text(given["policy"], encoding="utf-8")
    return found


def test_what_was_revoked_later_counts_once_its_reader_believes_witnesses(
    visitor: Visitor, tmp_path: Path
) -> None:
    page = desk(visitor)
    page.context.set_offline(offline=True)
    given = revoked(tmp_path, "after")
    hand_in(page, given.root, given.text, given.evidence)
    said = verdict(page, "Signed, but revoked since.")
    assert "no witnesses were asked who could prove that it was used before" in said
    assert failed(page) == ["output.revocation"]
    hand_in(page, given.policy)
    said = verdict(page, "Verified.")
    assert (
        "Of the output, these certificates were revoked, but its signature is proven to be from "
        "before (2026-11-20 10:30:00 UTC): leaf." in said
    )
    page.get_by_role("button", name="Ask no witnesses again").click()
    verdict(page, "Signed, but revoked since.")


@pytest.mark.parametrize("when", ["before", "at"])
def test_what_was_revoked_before_fails_whoever_saw_it(
    visitor: Visitor, tmp_path: Path, when: str
) -> None:
    page = desk(visitor)
    given = revoked(tmp_path, when)
    hand_in(page, given.root, given.policy, given.text, given.evidence)
    said = verdict(page, "Signed, but revoked since.")
    assert "the witnesses whom you believe do not prove that it was used before" in said
    assert failed(page) == ["output.revocation"]


def test_evidence_of_a_base_beside_it_is_walked_to(visitor: Visitor, tmp_path: Path) -> None:
    given = vectors("walks")
    files = [tmp_path / "root.json"]
    files[0].write_text(json.dumps(given["trust_root"]), encoding="utf-8")
    for number, of in enumerate(("output", "third", "first")):
        files.append(tmp_path / f"{number}.assay.json")
        files[-1].write_bytes(canonical.dumps(given["evidence"][of]))
    page = desk(visitor)
    page.context.set_offline(offline=True)
    hand_in(page, *files)
    expect(page.locator(".result")).to_have_count(3)
    output = page.locator(".result").first
    said = output.locator("[data-sentences]")
    expect(said).to_contain_text("Its run continued from alice/tiny@step-100, verified as well.")
    expect(said).to_contain_text("about which there was no evidence at hand")
    output.get_by_text("Where this comes from").first.click()
    base = output.locator('.link[data-part="base-1"]')
    base.get_by_text("checks in this browser").click()
    expect(base.get_by_text("base-1.checkpoint.statement")).to_be_visible()


def showing(folder: Path, *names: str) -> list[Path]:
    """Evidence of an output, its registry's root, and what some show of what they accepted."""
    given = vectors("acceptances")
    files = {"root.json": given["trust_root"], "a.assay.json": given["evidence"]["output"]}
    files |= {f"{number}.json": given["acceptances"][of] for number, of in enumerate(names)}
    for name, document in files.items():
        (folder / name).write_bytes(canonical.dumps(document))
    return [folder / name for name in files]


def test_an_acceptance_beside_it_says_who_accepted(visitor: Visitor, tmp_path: Path) -> None:
    page = desk(visitor)
    page.context.set_offline(offline=True)
    hand_in(page, *showing(tmp_path, "with a key", "carol"))
    said = verdict(page, "Verified.")
    assert "before signing this: output, checkpoint. The key sha256:" in said
    assert "signed it, too; whose that is, they say." in said
    assert "The acceptance of http://registry.test/carol that you gave is of nobody" in said
    expect(page.locator(".result")).to_have_attribute("data-mood", "caution")
    link = page.locator('.link[data-part="acceptance-1"]')
    expect(link).to_have_attribute("data-state", "intact")
    expect(link.get_by_role("heading")).to_have_text("Acceptance by alice")
    link.get_by_text("checks in this browser").click()
    expect(link.get_by_text("acceptance-1.consent")).to_be_visible()
    expect(link.locator("[data-pieces]")).to_contain_text("bundle.json")


def test_an_acceptance_that_does_not_hold_is_broken(visitor: Visitor, tmp_path: Path) -> None:
    page = desk(visitor)
    hand_in(page, *showing(tmp_path, "with another salt"))
    assert "commitment" in verdict(page, "It does not hold.")
    assert failed(page) == ["acceptance-1.opening"]


def test_a_packs_verdict_is_as_readable(packed: Packed, visitor: Visitor, axe: str) -> None:
    for width, colours in LOOKS:
        page = desk(visitor, View(colours=colours, width=width))
        hand_in(page, packed.pack)
        for root, policy, headline in (
            ("", "", "From a registry that you do not trust here."),
            (packed.root, "", "Not judged."),
            (packed.root, packed.policy, "Verified."),
        ):
            name(page, root=root, policy=policy)
            verdict(page, headline)
            for summary in page.locator(".link[data-base] summary").all():
                summary.click()
            assert violations(page, axe) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
