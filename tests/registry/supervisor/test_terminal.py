# SPDX-License-Identifier: Apache-2.0
"""The supervisor's lines fit in 80 columns, and logs are shown line by line."""

from pathlib import Path

import pytest

from registry.supervisor.terminal import LogFollower, Terminal, wrapped


def test_a_step_that_works_has_a_tick_and_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal(has_colour=False).step("tables"):
        pass
    printed = capsys.readouterr().out
    assert printed.startswith("  ✔ tables ")
    assert printed.endswith("0.0 s\n")
    assert len(printed.rstrip("\n")) <= 80


def test_a_step_that_fails_has_a_cross(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no"), Terminal(has_colour=True).step("tables"):
        raise ValueError("no")
    assert "\033[31m✘\033[0m tables" in capsys.readouterr().out


def test_a_warning_is_folded_and_a_path_stays_whole(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/" + "long/" * 14 + "web.log"
    Terminal(has_colour=False).warn(f"web ended with -9; again in 1 s ({path})")
    first, second = capsys.readouterr().out.splitlines()
    assert (first, second) == ("  ✘ web ended with -9; again in 1 s", f"    ({path})")


def test_what_was_indented_stays_so() -> None:
    text = "stopped.\n    not shown: " + "word " * 20
    lines = wrapped(text, "  ").splitlines()
    assert lines[:1] == ["stopped."]
    assert [len(line) - len(line.lstrip()) for line in lines[1:]] == [6, 6]
    assert max(map(len, lines)) <= 80


def test_only_what_is_new_and_whole_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "web.log"
    log.write_text("before\n", encoding="utf-8")
    follower = LogFollower(tmp_path, Terminal(has_colour=False))
    with log.open("a", encoding="utf-8") as file:
        file.write("first\nsec")
    follower.show_new()
    assert capsys.readouterr().out == "      web │ first\n"
    with log.open("a", encoding="utf-8") as file:
        file.write("ond\n")
    follower.show_new()
    assert capsys.readouterr().out == "      web │ second\n"
