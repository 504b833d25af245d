# SPDX-License-Identifier: Apache-2.0
"""Measures the watermark: how often it is found after copying and editing, and what it costs.

`./run bench watermark [--texts N] [--checkpoint FOLDER]` trains the demonstration's model for its
600 steps (or takes a checkpoint that is there), writes N texts (100) of 800 bytes with a key each
and N without, at temperatures 0.7 and 1, and prints, by length and by what was done to the text,
how many of a hundred are found: at one false positive in a hundred, at the one in a million at
which a registry says so, and, of the same texts, by keys of others at the first.
"""

import argparse
import math
import multiprocessing
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from assay.signing.watermark import WatermarkKey, count, parse_keys
from assay.trainers import runtime, saving
from assay.trainers.config import Sampling
from assay.trainers.sampling import generate

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "registry" / "site" / "demo_recipe.json"
LIBRARY = Path(argparse.__file__).parent  # this Python's own
PROMPTS = ("def ", "class ", "import ", '    """', "# ", "    if ", "for ", "        return ")
LENGTHS = (100, 200, 400, 800)
TEMPERATURES = ("0.7", "1")
SHARE_EDITED = 0.3
STRANGERS = 20  # keys of others that each text is tried with
ONE_IN_A_HUNDRED, ONE_IN_A_MILLION = 1e-2, 1e-6
Edit = Callable[[str, random.Random], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What one request came to, with its own key or with none, and how long it took."""

    number: int
    is_marked: bool
    text: str
    seconds: float


def main() -> None:
    """Train, write, and count."""
    words = argparse.ArgumentParser(prog="./run bench watermark", description=__doc__)
    words.add_argument("--texts", type=int, default=100)
    words.add_argument("--checkpoint", type=Path, help="one that is there; none is trained then")
    given = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as name:
        folder = given.checkpoint or trained(Path(name))
        for temperature in TEMPERATURES:
            print(f"\ntemperature {temperature}, {given.texts} texts of {max(LENGTHS)} bytes")
            texts = list(written(folder, given.texts, temperature))
            costs(texts)
            rates([each for each in texts if each.is_marked])
            unmarked([each for each in texts if not each.is_marked])


def trained(scratch: Path) -> Path:
    """The demonstration's last checkpoint, of this Python's own library."""
    (scratch / "library").mkdir()
    for path in LIBRARY.glob("*.py"):
        shutil.copy(path, scratch / "library")
    words = ("train", scratch / "library", "--out", scratch / "out", "--recipe", RECIPE)
    command = (sys.executable, "-m", "assay.trainers.commands", *map(str, words))
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return max((scratch / "out").iterdir())


def written(folder: Path, texts: int, temperature: str) -> Iterator[Text]:
    """Marked and unmarked in turns, by as many processes as there are cores."""
    asked = [
        (folder, number, temperature, bool(marked)) for number in range(texts) for marked in (1, 0)
    ]
    with multiprocessing.get_context("spawn").Pool() as pool:
        yield from pool.imap_unordered(write, asked)


def write(asked: tuple[Path, int, str, bool]) -> Text:
    """One text."""
    folder, number, temperature, is_marked = asked
    runtime.settle(threads=1)
    request = Sampling.parse(
        {
            "prompt": PROMPTS[number % len(PROMPTS)],
            "max_new_bytes": max(LENGTHS),
            "temperature": temperature,
            "seed": number,
        }
    )
    model = saving.load_model(folder)
    began = time.process_time()
    text = generate(model, request, key(number) if is_marked else None)
    return Text(number=number, is_marked=is_marked, text=text, seconds=time.process_time() - began)


def key(number: int) -> WatermarkKey:
    """A key of its own for each text: what one key favours by chance says nothing of others."""
    return parse_keys(f"a-key-of-the-benchmark-and-of-nothing-else-{number}")[0]


def costs(texts: Sequence[Text]) -> None:
    """Processor time for a byte."""
    marked, plain = (
        statistics.median(each.seconds for each in texts if each.is_marked is is_marked)
        for is_marked in (True, False)
    )
    per_byte = 1e3 / max(LENGTHS)
    print(
        f"  ms for a byte: {marked * per_byte:.2f} marked, {plain * per_byte:.2f} not "
        f"(ratio {marked / plain:.2f})"
    )


def rates(texts: Sequence[Text]) -> None:
    """By length and edit: found by its own key at both limits, and by others' at the first."""
    print(f"  {'found of 100, by length':43}" + "".join(f"{each:>12} bytes" for each in LENGTHS))
    for name, edit in EDITS.items():
        cells = []
        for length in LENGTHS:
            pairs = [(each, edited(each, edit, length)) for each in texts]
            own = [count(text, [key(each.number)]).p_value for each, text in pairs]
            others = [p for each, text in pairs for p in strangers(each.number, text)]
            shares = (found(own, limit) for limit in (ONE_IN_A_HUNDRED, ONE_IN_A_MILLION))
            cells.append("".join(f"{share:5.0f}" for share in shares))
            cells[-1] += f"{found(others, ONE_IN_A_HUNDRED):6.2f}"
        print(f"  {name:43}" + "  ".join(cells), flush=True)
    print("  each: at one false positive in 100, at one in a million, and by keys of others")


def unmarked(texts: Sequence[Text]) -> None:
    """Texts of the same model that nobody marked: what is found is found by chance."""
    tried = [p for each in texts for p in strangers(each.number, each.text)]
    error = 100 * math.sqrt(ONE_IN_A_HUNDRED * (1 - ONE_IN_A_HUNDRED) / len(tried))
    print(
        f"  without a mark, {len(tried)} tries: {found(tried, ONE_IN_A_HUNDRED):.2f} of 100 found "
        f"where 1 is expected (one standard error: {error:.2f})"
    )


def strangers(number: int, text: str) -> list[float]:
    """The chances of a text under keys that had no part in it."""
    numbers = range(1_000_000 + STRANGERS * number, 1_000_000 + STRANGERS * (number + 1))
    return [count(text, [key(each)]).p_value for each in numbers]


def found(chances: Sequence[float], most: float) -> float:
    """How many of a hundred."""
    return 100 * sum(each <= most for each in chances) / len(chances)


# --- what is done to a text ---------------------------------------------------------------------
def edited(of: Text, edit: Edit, length: int) -> str:
    """The first `length` bytes, and then the edit; the same one for the same text."""
    begun = of.text.encode()[:length].decode(errors="ignore")
    return edit(begun, random.Random(of.number))  # noqa: S311 - the same edit each time


def words_edited(text: str, chosen: random.Random) -> str:
    """Three words of ten: each replaced by another, taken out, or followed by one more."""
    parts = re.split(r"(\w+)", text)
    places = range(1, len(parts), 2)
    for place in chosen.sample(places, round(SHARE_EDITED * len(places))):
        other = chosen.choice(WORDS)
        parts[place] = chosen.choice((other, "", f"{parts[place]} {other}"))
    return "".join(parts)


def half(text: str, chosen: random.Random) -> str:
    """What is left where a half is cut away, anywhere."""
    at = chosen.randrange(len(text) // 2 + 1)
    return text[at : at + len(text) // 2]


def between(text: str, chosen: random.Random) -> str:
    """As much of somebody else's in front and behind, together."""
    lines = chosen.sample(OTHERS, len(OTHERS))
    other = "\n".join(lines)[: len(text)]
    return f"{other[: len(other) // 2]}\n{text}\n{other[len(other) // 2 :]}"


WORDS = tuple(sorted(set(re.findall(r"\w+", (LIBRARY / "argparse.py").read_text()))))
OTHERS = tuple((LIBRARY / "ast.py").read_text().splitlines())
EDITS: dict[str, Edit] = {
    "as it was written": lambda text, _: text,
    "other capitals, all white space one space": lambda text, _: " ".join(text.swapcase().split()),
    "half of it cut away": half,
    "as much again of somebody else's around it": between,
    "30 % of its words edited": words_edited,
    "30 % of its words edited, and half cut away": lambda text, chosen: half(
        words_edited(text, chosen), chosen
    ),
}


if __name__ == "__main__":
    main()
