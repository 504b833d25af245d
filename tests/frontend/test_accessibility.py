# SPDX-License-Identifier: Apache-2.0
"""Every page, wide and light, narrow and dark: axe finds nothing, nothing is cut off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from assay.signing.digests import sha256
from assay.signing.manifest import FileEntry
from registry.accounts import services as accounts
from registry.accounts.models import Role
from registry.catalog import services as catalog
from registry.catalog.models import Gate
from registry.catalog.queries.pulls import Pull
from registry.catalog.services import Commit, Proposal, Put, takedowns
from registry.catalog.services.takedowns import Order
from registry.conduct import drafting
from registry.conduct import services as conduct
from registry.conduct.written import Written
from registry.imports.models import MAX_SOURCE_NAME, Import
from registry.imports.models import State as ImportState
from registry.ledger.services import integrate
from registry.moderation import deciding
from registry.notices import services as notices
from registry.notices.models import Event
from registry.notices.services import Wanted
from registry.storage import services as storage
from tests.frontend.signing_in import cookies_of
from tests.frontend.visitor import View, Visitor
from tests.registry.catalog.world import project
from tests.registry.conduct.published import CLAUSES, forbids, house_rules, publish
from tests.registry.moderation.court import decided, reported, sanction, seated
from tests.registry.people import client_of
from tests.registry.site.world import TEXT, Shown

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Each width and each colour once: what is laid out does not hang on the colours.
LOOKS = tuple(zip((1280, 320), COLOURS, strict=True))


@pytest.fixture
def charlie_is_signed_in(shown: Shown) -> dict[str, str]:
    """Before the browser starts: he owns a gated project, and asked for the files of another.

    What he imported there is in every state, under long names.
    """
    people, version = shown.lab.people, shown.lab.version
    crew = accounts.create_organisation("crew", people.charlie)
    accounts.add_member(crew, people.bob, Role.READER, by=people.charlie)
    own = project(crew.namespace, version, people.charlie, "own")
    catalog.set_gate(own, Gate.ASKS, "Who are you?", by=people.charlie)
    catalog.ask(own, by=people.alice, said="Alice.")
    for state in ImportState.values:
        Import.objects.create(
            project=own,
            person=people.charlie,
            source_name=f"{'a-long-name-' * 16}{state}.pt"[-MAX_SOURCE_NAME:],
            source_sha256=sha256(state.encode()),
            name=f"{'a/long/way/' * 12}model.safetensors",
            state=state,
            reason="expected tensors, found " + "x" * 300 if state == "refused" else "",
            result_sha256="" if state == "waiting" else "cd" * 32,
            result_bytes=None if state == "waiting" else 123_456_789,
            oid="ef" * 20 if state == "done" else "",
            ended_at=timezone.now() if state in {"done", "refused"} else None,
        )
    other = project(shown.lab.project.owner, version, people.alice, "other")
    catalog.set_gate(other, Gate.ASKS, "Who are you?", by=people.alice)
    conduct.accept(version, people.charlie.namespace, people.charlie)
    catalog.ask(other, by=people.charlie, said="Charlie.")
    return cookies_of(shown.lab.people.charlie)


@pytest.fixture
def pull(shown: Shown) -> Pull:
    """What Charlie proposes to the lab, and says of it."""
    charlie, project = shown.lab.people.charlie, shown.lab.project
    conduct.accept(project.conduct, charlie.namespace, charlie)
    found = {}
    for name, content in {"README.md": b"# Better\n", "a/long/way/notes.txt": b"Notes."}.items():
        found[name] = storage.store(content, holder=charlie.actor).sha256
    changes = tuple(
        Put(file=FileEntry(name=name, sha256=sha256, size=storage.sizes([sha256])[sha256]))
        for name, sha256 in found.items()
    )
    wanted = Proposal(by=charlie, title="Say it better", message="It was *short*.", changes=changes)
    return catalog.propose_changes(project, wanted)[0]


@pytest.fixture
def told_and_gone(heard: list[str], shown: Shown) -> list[str]:
    """Charlie's webhook with a delivery, what is left of what was taken down, and cases."""
    people, version = shown.lab.people, shown.lab.version
    wanted = Wanted(
        owner="charlie", project="", url="https://ci.example/hook", events=[Event.ENDED]
    )
    hook, _ = notices.add(wanted, by=people.charlie)
    notices.ping(hook, by=people.charlie)
    gone = project(shown.lab.project.owner, version, people.alice, "gone")
    content = b"# It was here\n"
    sha256 = storage.store(content, holder=people.alice.actor).sha256
    change = Put(file=FileEntry(name="README.md", sha256=sha256, size=len(content)))
    made = catalog.commit(
        Commit(user=people.alice, project=gone, title="All of it", changes=(change,))
    )
    order = Order(reason="A court forbade it, in words that go on for a while.", by="system")
    takedowns.take_down_project(gone, order)
    catalog.state()
    integrate()
    return [f"/settings/webhooks/{hook.pk}", gone.path, made.checkpoint.path, *heard]


@pytest.fixture
def heard(charlie_is_signed_in: dict[str, str], shown: Shown) -> list[str]:
    """Cases as Charlie sees them: two that he may decide, and one against a band of his."""
    court, charlie = seated(), shown.lab.people.charlie
    charlie.is_staff = True
    charlie.save()
    accounts.create_organisation("band", charlie)
    is_open = reported(shown.checkpoint.full_name, court.frida, words="It says so itself. " * 30)
    proposed = reported("bob", court.frida, clause=3)
    deciding.propose(proposed, sanction(proposed, days=30), by=court.dora)
    against = reported("band", court.frida)
    decided(against, court, sanction(against, days=30))
    integrate()
    return [each.path for each in (is_open, proposed, against)]


@pytest.fixture
def evaluated(shown: Shown) -> None:
    """What two people say of the checkpoint, of whom one takes it back."""
    version = shown.lab.version
    for person, value in ((shown.lab.people.alice, "0.2893"), (shown.lab.people.charlie, "0.2504")):
        conduct.accept(version, person.namespace, person)
        result = {
            "task": "hellaswag_a_task_with_a_name_that_is_as_long_as_they_come",
            "dataset": {"name": "Rowan/hellaswag", "sha256": "ab" * 32},
            "harness": {"name": "lm-evaluation-harness", "version": "0.4.9.1", "commit": "97a5e2c"},
            "metrics": [
                {"name": "acc", "value": value, "standard_error": "0.00432077"},
                {"name": "exact_match,strict-match", "value": "0.10326008074212"},
            ],
            "evaluated_at": "2026-11-20T09:30:00Z",
        }
        api = client_of(person, "publish")
        at = f"{shown.lab.project.full_name}/checkpoints/{shown.checkpoint.name}"
        url = f"/api/v1/projects/{at}/evaluations"
        made = api.post(url, result, format="json").json()
    api.post(f"{url}/{made['id']}/withdrawal", {"reason": "mistaken"})


@pytest.fixture
def changed_rules(shown: Shown, tmp_path: Path) -> None:
    """A version that says, allows and forbids something else than the one before."""
    before = publish(tmp_path, house_rules("1.0", None, severity="material"))
    clauses = [{**CLAUSES[1], "text": "Cheat and harass nobody."}]
    more = [forbids("use", "assay:fraud", "assay:harassment")]
    changes = {"severity": "material", "clauses": clauses, "prohibition": more}
    publish(tmp_path, house_rules("2.0", before, **changes))


@pytest.fixture
def drafts(changed_rules: None, shown: Shown) -> list[str]:
    """What Charlie, who runs the registry here, writes: one draft is proposed, one has faults."""
    charlie = shown.lab.people.charlie
    charlie.is_staff = True
    charlie.save(update_fields=["is_staff"])
    sound = drafting.begin("house-rules", by=charlie)
    drafting.propose(sound, revision=1, by=charlie)
    draft = drafting.begin("community-language-models", by=charlie)
    written = Written.of_row(draft.content)
    clause = replace(written.clauses[0], id="x" * 90, text="")
    drafting.save(draft, replace(written, title="").put(clause), revision=1, by=charlie)
    places = ("", f"/clause/{clause.key}", "/clause", "/preview")
    drafted = [f"{draft.path}{place}" for place in places]
    return ["/conduct/new", f"{sound.path}/preview", *drafted]


@pytest.fixture
def made_for_charlie(told_and_gone: list[str], drafts: list[str]) -> list[str]:
    """The pages that only the fixtures know the paths of."""
    return [*told_and_gone, *drafts]


def paths(shown: Shown, pull: Pull) -> list[str]:
    """One page of each kind."""
    return [
        "/",
        "/projects",
        "/projects?q=tiny&trained=run",
        "/conduct",
        "/ledger",
        "/ledger/witness",
        "/verify",
        "/detect",
        "/login",
        "/ledger/entries/0",
        "/ledger/entries/10",
        "/settings",
        "/settings/sign-ins",
        "/settings/tokens",
        "/settings/exports",
        "/settings/organisations",
        "/settings/organisations/crew",
        "/crew/own",
        "/crew/own/settings/access",
        "/crew/own/settings/requests",
        "/crew/own/settings/imports",
        "/lab/other/settings/ask",
        "/settings/webhooks?project=lab/small",
        "/errors/digest-mismatch",
        shown.lab.project.path,
        shown.lab.run.path,
        shown.lab.version.path,
        "/conduct/community-language-models",
        "/conduct/house-rules/2.0/changes",
        "/conduct/community-language-models/organisations",
        "/settings/conduct",
        "/community/report",
        f"/community/report?about={shown.checkpoint.full_name}",
        "/community/cases",
        "/transparency",
        shown.checkpoint.path,
        shown.sample.path,
        pull.path,
        f"{shown.lab.project.path}/discussions",
    ]


def violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds, in short."""
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
    return [
        f"{page.url} {violation['id']}: {node['html'][:160]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def settle(page: Page) -> None:
    """Wait for what the page does by itself."""
    if page.locator("signed-answer").count():
        expect(page.locator("signed-answer")).to_have_attribute("data-state", "intact")


@pytest.mark.usefixtures("evaluated")
def test_axe_finds_nothing_and_nothing_is_cut_off(
    charlie_is_signed_in: dict[str, str],
    made_for_charlie: list[str],
    pull: Pull,
    visitor: Visitor,
    shown: Shown,
    axe: str,
) -> None:
    visitor.cookies = charlie_is_signed_in
    found: list[str] = []
    for width, colours in LOOKS:
        page = visitor.open("/", View(colours=colours, width=width))
        for path in (*paths(shown, pull), *made_for_charlie):
            page.goto(visitor.url + path)
            settle(page)
            found += violations(page, axe)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                found.append(f"{path} is wider than {width} pixels")
    assert found == []


def test_a_broken_tree_is_as_readable(visitor: Visitor, axe: str) -> None:
    for colours in COLOURS:
        page = visitor.open("/", View(colours=colours))
        settle(page)
        page.locator("signed-answer textarea").fill("something else")
        expect(page.locator("signed-answer")).to_have_attribute("data-state", "broken")
        for summary in page.locator("signed-answer summary:visible").all():
            summary.click()
        assert violations(page, axe) == []


def test_a_verdict_is_as_readable(visitor: Visitor, axe: str) -> None:
    for width, colours in LOOKS:
        page = visitor.open("/verify", View(colours=colours, width=width))
        for text in (TEXT, TEXT.replace("\n", "  \n"), "unknown"):
            page.get_by_label("Or paste a text").fill(text)
            page.get_by_role("button", name="Verify the text").click()
            expect(page.locator("verify-desk")).to_have_attribute("data-state", "ready")
            for summary in page.locator(".result summary:visible").all():
                if summary.evaluate("summary => !summary.parentElement.open"):
                    summary.click()
            assert violations(page, axe) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    visitor.complaints.clear()  # Chromium's own word about what is not found


def test_the_first_key_leads_past_the_navigation(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_what_has_the_focus_is_outlined(visitor: Visitor) -> None:
    page = visitor.open("/projects")
    for _ in range(3):
        page.keyboard.press("Tab")
    width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert width == "3px"


def test_nothing_moves_for_who_wants_no_motion(visitor: Visitor) -> None:
    page = visitor.open("/", View(motion="reduce"))
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.state')).animationName") == "none"
    )


def test_the_colours_can_be_chosen_and_stay(visitor: Visitor) -> None:
    page = visitor.open("/projects", View(has_scripts=False))
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto(f"{visitor.url}/ledger")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
