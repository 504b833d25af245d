# SPDX-License-Identifier: Apache-2.0
"""docs/settings.md describes every environment variable that is read, and no other."""

import re

from registry import env

from . import sources

PAGE = sources.ROOT / "docs" / "settings.md"
# Read by the supervisor, by ./run and by the `assay` command.
OUTSIDE_THE_REGISTRY = {
    "ASSAY_PORT",
    "TORCH_INDEX",
    "ASSAY_TEST_EVERY",
    "ASSAY_TEST_THOROUGH",
    "ASSAY_CONFIG",
    "ASSAY_TOKEN",
}
NAME = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)
READ = re.compile(r"""["'](ASSAY_[A-Z_]+)["']""")


def test_every_variable_is_described_and_no_other() -> None:
    described = set(NAME.findall(PAGE.read_text(encoding="utf-8")))
    assert described == set(env.VARIABLES) | OUTSIDE_THE_REGISTRY


def test_no_variable_is_read_behind_the_page() -> None:
    read = {
        name
        for path in sources.in_python()
        if path.relative_to(sources.ROOT).parts[0] not in {"tests", "bench"}
        for name in READ.findall(path.read_text(encoding="utf-8"))
    }
    assert read <= set(env.VARIABLES) | OUTSIDE_THE_REGISTRY
