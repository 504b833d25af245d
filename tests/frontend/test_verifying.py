# SPDX-License-Identifier: Apache-2.0
"""The page that verifies, in a real browser: what is handed in, and the verdict on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from playwright.sync_api import Page, expect

from assay.signing import canonical, tlog
from assay.signing.bundle import Bundle
from assay.signing.digests import sha256
from assay.signing.evidence import Evidence
from assay.signing.revocation import Reason
from registry.authority import revocations
from registry.catalog import services as catalog
from registry.catalog.services import takedowns
from registry.catalog.services.takedowns import Order
from registry.ledger import queries as ledger
from registry.ledger.services import integrate
from tests.elsewhere import elsewhere
from tests.frontend.handed import PAGE, Kept, desk, failed, hand_in, keep, unheard, verdict
from tests.frontend.visitor import View, Visitor
from tests.registry.site.world import TEXT, Shown

DROP = """text => {
  const data = new DataTransfer();
  data.items.add(new File([text], "hello.py"));
  document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
}"""


@pytest.fixture
def kept(shown: Shown, tmp_path: Path) -> Kept:
    return keep(shown, tmp_path)


def flipped(path: Path, old: str, new: str) -> Path:
    """A file with one thing in it changed."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def paste(page: Page, text: str) -> None:
    page.get_by_label("Or paste a text").fill(text)
    page.get_by_role("button", name="Verify the text").click()


def look_up(page: Page, what: str) -> None:
    page.get_by_label("A SHA-256").fill(what)
    page.get_by_role("button", name="Look it up").click()


def states(page: Page) -> dict[str, str]:
    links = page.locator(".result .link").all()
    return {
        str(each.get_attribute("data-part")): str(each.get_attribute("data-state"))
        for each in links
    }


def test_with_the_network_cut_a_text_verifies_by_its_evidence(kept: Kept, visitor: Visitor) -> None:
    page = desk(visitor)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.context.set_offline(offline=True)
    hand_in(page, kept.text, kept.evidence)
    said = verdict(page, "Verified.")
    assert said.startswith("The file hello.py is, to the byte, what the registry")
    assert set(states(page).values()) == {"intact"}
    assert [url for url in asked if not url.startswith("blob:")] == []
    paste(page, TEXT)
    assert "could not be asked for it" in verdict(page, "Not judged.")
    unheard(visitor)


def test_one_changed_byte_fails_exactly_one_step(kept: Kept, visitor: Visitor) -> None:
    page = desk(visitor)
    page.context.set_offline(offline=True)
    hand_in(page, flipped(kept.text, "hello", "hallo"), kept.evidence)
    said = verdict(page, "Changed.")
    assert said.startswith("The file hello.py is not what was signed.")
    assert failed(page) == ["text"]
    broken = [part for part, state in states(page).items() if state == "broken"]
    assert broken == ["output"]
    expect(page.locator(".reason:visible")).to_contain_text("Expected sha256:")


def test_a_changed_signature_is_no_change_of_the_text(kept: Kept, visitor: Visitor) -> None:
    page = desk(visitor)
    bundle = json.loads(kept.evidence.read_text())["bundles"]["run"]
    signature = bundle["dsseEnvelope"]["signatures"][0]["sig"]
    other = signature[:20] + ("A" if signature[20] != "A" else "B") + signature[21:]
    hand_in(page, kept.text, flipped(kept.evidence, signature, other))
    verdict(page, "It does not hold.")
    assert all(code.startswith("run.") for code in failed(page))
    assert "run.signature" in failed(page)
    assert states(page)["output"] == "intact"


def test_a_saved_answer_brings_its_text(kept: Kept, visitor: Visitor) -> None:
    page = desk(visitor)
    page.context.set_offline(offline=True)
    hand_in(page, kept.answer)
    assert verdict(page, "Verified.").startswith("The text is, to the byte")
    hand_in(page, flipped(kept.answer, "def hello", "def hallo"))
    verdict(page, "Changed.")
    assert failed(page) == ["text"]


def test_spaces_that_copying_adds_are_never_called_identical(visitor: Visitor) -> None:
    page = desk(visitor)
    paste(page, TEXT.replace("\n", "  \n"))
    said = verdict(page, "Same after normalising.")
    assert "They are not the very bytes." in said
    assert "to the byte" not in page.locator(".outcome").inner_text()
    expect(page.locator("[data-spoken]")).to_contain_text("Same after normalising.")
    unheard(visitor)


def test_a_part_of_a_text_is_said_to_be_one_before_all_else(kept: Kept, visitor: Visitor) -> None:
    page = desk(visitor)
    page.context.set_offline(offline=True)
    kept.text.write_text(f"\n{TEXT.splitlines()[-1]}\n")
    hand_in(page, kept.text, kept.evidence)
    said = verdict(page, "An excerpt of what was signed.")
    assert "What was left out may change what it means." in said
    assert said.startswith("The file hello.py is a part of what the registry")
    assert ": line 2 of 2. What" in said
    assert page.locator(".result").get_attribute("data-mood") == "caution"
    assert "Verified" not in page.locator(".outcome").inner_text()
    kept.text.write_text(TEXT.splitlines()[-1][:-1])
    hand_in(page, kept.text, kept.evidence)
    verdict(page, "Changed.")
    unheard(visitor)


def test_what_nobody_knows_here_is_not_called_forged(visitor: Visitor) -> None:
    page = desk(visitor)
    paste(page, "nobody signed this")
    said = verdict(page, "Unknown here, which proves nothing.")
    assert "a byte of it may have changed" in said
    assert "ask /detect what it may be from" in said
    look_up(page, sha256(b"nor that"))
    expect(page.locator("[data-sentences]")).to_contain_text("sha256:" + sha256(b"nor that"))
    unheard(visitor)


def test_a_folder_is_compared_whole(kept: Kept, visitor: Visitor) -> None:
    page = desk(visitor)
    hand_in(page, kept.folder)
    said = verdict(page, "Verified.")
    assert said.startswith(
        "The files in the folder tiny-step-000020 are, to the byte, the checkpoint"
    )
    (kept.folder / "config.json").write_text('{"layers": 5}\n')
    hand_in(page, kept.folder)
    expect(page.locator("[data-headline]")).to_have_text("Changed.")
    assert failed(page) == ["files", "model.files"]
    assert "changed: config.json" in page.locator("[data-sentences]").inner_text()
    unheard(visitor)


def test_single_files_say_nothing_of_the_others(kept: Kept, visitor: Visitor) -> None:
    page = desk(visitor)
    page.context.set_offline(offline=True)
    hand_in(page, kept.folder / "model.safetensors", kept.folder_evidence)
    said = verdict(page, "Verified.")
    assert "the file model.safetensors. Its other files were not at hand." in said


@pytest.mark.parametrize("how", ["output", "checkpoint", "digest", "file", "id"])
def test_an_address_or_a_digest_leads_to_the_evidence(
    shown: Shown, visitor: Visitor, how: str
) -> None:
    sample, checkpoint = shown.sample, shown.checkpoint
    weights = sha256(b'{"layers": 4}\n')
    given, said = {
        "output": (f"http://localhost:8000{sample.path}", "The text is, to the byte"),
        "checkpoint": (checkpoint.path, "published the checkpoint lab/tiny@step-000020"),
        "digest": (sample.sha256, "What has the digest sha256:"),
        "file": (weights, "to the byte: what has the digest sha256:"),
        "id": (f"sha256:{checkpoint.manifest_sha256}", "None of its files were at hand"),
    }[how]
    page = desk(visitor)
    look_up(page, given)
    assert said in verdict(page, "Verified.")
    unheard(visitor)


def test_a_file_of_a_data_set_is_listed_and_not_judged(visitor: Visitor) -> None:
    page = desk(visitor)
    look_up(page, sha256(b"import sys\n"))
    assert "in its data set lab/texts" in verdict(page, "Not judged.")
    unheard(visitor)


def test_files_are_handed_in_by_a_drop_or_by_keys(visitor: Visitor) -> None:
    page = desk(visitor)
    page.evaluate(DROP, TEXT)
    assert verdict(page, "Verified.").startswith("The file hello.py is, to the byte")
    expect(page.locator("[data-headline]")).to_be_in_viewport()
    with page.expect_file_chooser():
        page.get_by_role("button", name="Choose files").press("Enter")
    unheard(visitor)


def test_what_is_no_address_here_is_said_so(visitor: Visitor) -> None:
    page = desk(visitor)
    for asked in ("https://example.org/outputs/1", "/ledger", "words"):
        look_up(page, asked)
        expect(page.locator("[data-status]")).to_contain_text("neither a SHA-256 nor the address")
        expect(page.locator(".result")).to_have_count(0)


def test_what_was_taken_down_since_is_said_with_the_verdict(
    kept: Kept, shown: Shown, visitor: Visitor
) -> None:
    def take_down() -> None:
        takedowns.take_down_checkpoint(shown.checkpoint, Order(reason="A court did.", by="system"))
        catalog.state()
        integrate()

    elsewhere(take_down)
    page = desk(visitor)
    paste(page, TEXT)
    said = verdict(page, "Verified, and taken down since.")
    assert "to the byte" in said
    assert "serves it no more: A court did." in said
    assert states(page)["takedown"] == "intact"


def test_what_was_revoked_since_is_seen_in_evidence_from_before(
    kept: Kept, shown: Shown, visitor: Visitor
) -> None:
    def revoke() -> None:
        assert shown.sample.statement is not None
        leaf = ledger.chain(shown.sample.statement).leaf
        revocations.revoke(f"{leaf.serial_number:x}", Reason.KEY_COMPROMISE)

    elsewhere(revoke)
    page = desk(visitor)
    hand_in(page, kept.answer)
    said = verdict(page, "Signed, but revoked since.")
    assert "is revoked (key-compromise)" in said
    assert failed(page) == ["output.revocation"]


def test_a_fingerprint_of_ones_own_is_compared(kept: Kept, visitor: Visitor) -> None:
    page = desk(visitor)
    page.context.set_offline(offline=True)
    hand_in(page, kept.answer)
    rests = page.locator("[data-rests]")
    expect(rests).to_contain_text("the registry's own word about itself")
    shown = page.locator("[data-fingerprint]").inner_text()
    field = page.get_by_label("The fingerprint that you have")
    field.fill(shown.removeprefix("sha256:").upper())
    expect(rests).to_contain_text("whose fingerprint you compared")
    field.fill(shown.replace(shown[-1], "0" if shown[-1] != "0" else "1"))
    expect(page.get_by_role("alert").filter(has_text="another fingerprint")).to_be_visible()
    expect(page.locator(".result")).to_have_count(0)
    hand_in(page, kept.trust)
    expect(rests).to_contain_text("that you gave")


def test_another_registrys_root_makes_this_one_a_stranger(kept: Kept, visitor: Visitor) -> None:
    page = desk(visitor)
    stranger = Path(__file__).parents[1] / "vectors" / "evidence.json"
    root = kept.trust.with_name("other.json")
    root.write_text(json.dumps(json.loads(stranger.read_text())["trust_root"]))
    hand_in(page, root, kept.answer)
    said = verdict(page, "From a registry that you do not trust here.")
    assert "this comes from http://localhost:8000, and you trust http://registry.test" in said
    assert "Verified" not in page.locator(".outcome").inner_text()
    page.get_by_role("button", name="Use this registry's own again").click()
    verdict(page, "Verified.")


def test_every_piece_is_a_file_that_others_read(
    kept: Kept, visitor: Visitor, tmp_path: Path
) -> None:
    page = desk(visitor)
    page.context.set_offline(offline=True)
    hand_in(page, kept.answer)
    verdict(page, "Verified.")
    evidence = Evidence.parse(canonical.loads(downloaded(page, "Save the evidence", tmp_path)))
    output = page.locator('.link[data-part="output"]')
    output.get_by_text("raw pieces").click()
    bundle = Bundle.parse(canonical.loads(downloaded(page, "bundle.json", tmp_path)))
    assert bundle in evidence.bundles.values()
    proof = tlog.Proof.parse(downloaded(page, "tlog-proof", tmp_path).decode())
    assert (proof.index, proof.hashes, proof.note) == (
        bundle.proof.index,
        bundle.proof.hashes,
        bundle.proof.note,
    )
    assert downloaded(page, "timestamp.tsr", tmp_path) == bundle.timestamp
    assert downloaded(page, "statement.json", tmp_path) == bundle.envelope.payload
    pem = downloaded(page, "certificates.pem", tmp_path).decode()
    assert pem == "".join(
        each.public_bytes(Encoding.PEM).decode()
        for each in (bundle.chain.leaf, bundle.chain.intermediate)
    )


def downloaded(page: Page, link: str, folder: Path) -> bytes:
    visible = page.get_by_role("link", name=link).locator("visible=true")
    with page.expect_download() as started:
        visible.first.click()
    started.value.save_as(folder / "piece")
    return (folder / "piece").read_bytes()


def test_broken_evidence_is_named_and_judged_as_nothing(kept: Kept, visitor: Visitor) -> None:
    page = desk(visitor)
    hand_in(page, flipped(kept.evidence, '"bundles"', '"bundle"'))
    assert verdict(page, "It cannot be read.").startswith("hello.assay.json: ")


def test_without_scripts_a_digest_leads_to_its_page(shown: Shown, visitor: Visitor) -> None:
    page = visitor.open(PAGE, View(has_scripts=False))
    expect(page.get_by_role("button", name="Choose files")).to_have_count(0)
    look_up(page, f"{shown.sample.sha256}  hello.py")
    expect(page).to_have_url(f"{visitor.url}{shown.sample.path}")


def test_only_the_registry_itself_is_ever_asked(visitor: Visitor) -> None:
    page = visitor.open("/projects")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(visitor.url + PAGE)
    expect(page.locator("verify-desk")).to_have_attribute("data-state", "ready")
    paste(page, TEXT)
    verdict(page, "Verified.")
    assert asked
    assert all(url.startswith((visitor.url, "data:")) for url in asked)
    assert not any(TEXT[:9] in url for url in asked)
