# SPDX-License-Identifier: Apache-2.0
"""Large files on the page that verifies: in little memory, with progress, and out of reach."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.frontend.handed import desk, hand_in, unheard, verdict
from tests.frontend.visitor import Visitor

MIB = 1 << 20
LARGE = 1024 * MIB
ENDLESS = 64 * LARGE  # minutes of work, for whoever means to stop it
# A quarter of the file, and more than slices, compiled code and what waits to be collected take.
MOST_GROWTH = 256 * MIB
TELL_EACH = """() => {
  const place = document.querySelector("[data-hashed]");
  window.told = [];
  new MutationObserver(() => window.told.push(place.textContent)).observe(place, {childList: true});
}"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def sparse(place: Path, size_bytes: int) -> Path:
    """A file of zeros that takes no room on the disk."""
    with place.open("wb") as file:
        file.truncate(size_bytes)
    return place


def peaks(browser: Browser) -> dict[int, int]:
    """The most memory that each process behind a page ever had, in bytes."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    pids = [each["id"] for each in processes if each["type"] == "renderer"]
    return {pid: peak(pid) for pid in pids}


def peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def zeros(size_bytes: int) -> str:
    """The SHA-256 of so many."""
    found, block = hashlib.sha256(), bytes(MIB)
    for _ in range(size_bytes // MIB):
        found.update(block)
    return found.hexdigest()


def test_a_large_file_is_hashed_in_little_memory_and_says_how_far_it_is(
    visitor: Visitor, browser: Browser, place: Path
) -> None:
    page = desk(visitor)
    page.evaluate(TELL_EACH)
    before = peaks(browser)
    hand_in(page, sparse(place, LARGE))
    verdict(page, "Unknown here, which proves nothing.")
    expect(page.locator("[data-items]")).to_contain_text(f"sha256:{zeros(LARGE)}")
    grown = [size - before[pid] for pid, size in peaks(browser).items() if pid in before]
    assert grown
    assert max(grown) < MOST_GROWTH, grown
    told = page.evaluate("window.told")
    assert told[-1] == "1.1 GB of 1.1 GB hashed"
    assert len(set(told)) > 10
    unheard(visitor)


def test_work_can_be_stopped_and_begun_anew(visitor: Visitor, place: Path) -> None:
    page = desk(visitor)
    hand_in(page, sparse(place, ENDLESS))
    expect(page.locator("progress")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("[data-status]")).to_have_text("Stopped. Nothing was judged.")
    small = place.with_name("small.txt")
    small.write_text("small")
    hand_in(page, small)
    verdict(page, "Unknown here, which proves nothing.")
    expect(page.locator("[data-items]")).to_contain_text(
        f"sha256:{hashlib.sha256(b'small').hexdigest()}"
    )
    unheard(visitor)


def test_what_reads_the_files_can_reach_nobody(visitor: Visitor) -> None:
    page = desk(visitor)
    assert page.workers
    for worker in page.workers:
        sent = worker.evaluate("() => fetch('/healthz').then(() => 'sent', () => 'refused')")
        assert sent == "refused"
    assert all("Content Security Policy" in each for each in visitor.complaints)
    visitor.complaints.clear()
