# SPDX-License-Identifier: Apache-2.0
"""Measures hashing in a browser: a file in the verify page's worker, beside its WebAssembly alone.

`./run bench browser-hashing [MIB [ROUNDS]]` lets the worker that was built for the page hash a file
of MIB mebibytes (2,048), and hash-wasm as many bytes that are in memory already, in turns, ROUNDS
times (5). What reading, pieces and messages cost is the difference; the goal is 0.8 of the rate.
It ends with the most memory that the page's process ever had.
"""

import functools
import http.server
import os
import re
import statistics
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, Page, sync_playwright

from tests.needing import chromium

ROOT = Path(__file__).resolve().parents[1]
FRONTEND = ROOT / "frontend"
MIB = 1 << 20
GOAL = 0.8
PAGE = "<!doctype html><title>hashing</title><input type='file'>"
ALONE = """importScripts("/node_modules/hash-wasm/dist/sha256.umd.min.js");
onmessage = async ({data: size}) => {
  const hasher = await hashwasm.createSHA256();
  const slice = new Uint8Array(1024 * 1024);
  const began = performance.now();
  hasher.init();
  for (let at = 0; at < size; at += slice.length) hasher.update(slice);
  hasher.digest("hex");
  postMessage(performance.now() - began);
};
"""
# Milliseconds, from the file to its digest; the worker is started and compiled before.
OURS = """source => new Promise((resolve) => {
  const [file] = document.querySelector("input").files;
  const worker = new Worker(source, {type: "module"});
  let began = 0;
  worker.onmessage = ({data}) => {
    if (data.turn === 0) began = performance.now();
    if (data.turn === 0) worker.postMessage({turn: 1, file});
    if ("content" in data) resolve(performance.now() - began);
  };
})"""
THEIRS = """size => new Promise((resolve) => {
  const worker = new Worker("/alone.js");
  worker.onmessage = ({data}) => resolve(data);
  worker.postMessage(size);
})"""


class Served(http.server.SimpleHTTPRequestHandler):
    """The folder of the pages' files, and two more that are written here."""

    MADE = {"/": ("text/html", PAGE), "/alone.js": ("text/javascript", ALONE)}

    def do_GET(self) -> None:
        """One of ours, or a file."""
        if self.path not in self.MADE:
            return super().do_GET()
        media_type, content = self.MADE[self.path]
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.end_headers()
        self.wfile.write(content.encode())
        return None

    def log_message(self, *_words: object) -> None:
        """Nothing: what is printed here is measured."""


def main() -> None:
    """Both in turns, then the medians, the ratio and the memory."""
    size = (int(sys.argv[1]) if len(sys.argv) > 1 else 2048) * MIB
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    (worker,) = (FRONTEND / "built" / "assets").glob("hashing-worker-*.js")
    handler = functools.partial(Served, directory=str(FRONTEND))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with (
        tempfile.TemporaryDirectory(prefix="assay-bench-") as name,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(0)
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.locator("input").set_input_files(filled(Path(name) / "file", size))
        print(f"{size // MIB} MiB in Chromium {browser.version}; MB/s")
        judge(page, f"/built/assets/{worker.name}", size, rounds)
        print(f"  {peak(browser) / MIB:.0f} MiB at most in the page's process")
        browser.close()


def judge(page: Page, worker: str, size: int, rounds: int) -> None:
    """One warm-up, then in turns."""
    page.evaluate(OURS, worker), page.evaluate(THEIRS, size)
    line("", "a file, ours", "hash-wasm alone")
    found: list[tuple[float, float]] = []
    for number in range(rounds):
        took = page.evaluate(OURS, worker), page.evaluate(THEIRS, size)
        found.append((size / took[0] / 1e3, size / took[1] / 1e3))
        line(f"round {number + 1}", *found[-1])
    line("median", *(statistics.median(rates) for rates in zip(*found, strict=True)))
    ratio = statistics.median(ours / theirs for ours, theirs in found)
    print(f"  ratio {ratio:.2f} (goal: {GOAL})", flush=True)


def filled(place: Path, size: int) -> Path:
    """A file of bytes that nothing can pass over."""
    block = os.urandom(MIB)
    with place.open("wb") as file:
        for _ in range(size // MIB):
            file.write(block)
    return place


def peak(browser: Browser) -> int:
    """The most memory that any process behind the page ever had, in bytes."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pids = [each["id"] for each in processes if each["type"] == "renderer"]
    found = (re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()) for pid in pids)
    return max(int(each[1]) * 1024 for each in found if each)


def line(text: str, *values: float | str) -> None:
    """One measured line."""
    cells = (f"{value:>17}" if isinstance(value, str) else f"{value:17.0f}" for value in values)
    print(f"  {text:<12}" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
