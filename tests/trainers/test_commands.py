# SPDX-License-Identifier: Apache-2.0
"""The command line: training a folder, going on with it, and what is printed when it cannot."""

import signal
from pathlib import Path

import pytest

from assay.signing import canonical
from assay.trainers.commands import doctor, main
from assay.trainers.commands.process import read_token, stop_on_signals
from assay.trainers.errors import NoToken

from .builders import recipe_document, write_texts
from .node_builders import site
from .registry_world import TOKEN, World


@pytest.fixture(autouse=True)
def _signals() -> object:
    """Commands take over the signals; give them back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.json"
    path.write_bytes(canonical.dumps(recipe_document()))
    return path


def test_a_folder_is_trained_on_and_each_checkpoint_shows_what_it_writes(
    tmp_path: Path, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_texts(tmp_path / "texts")
    out = tmp_path / "out"
    words = ["train", str(tmp_path / "texts"), "--out", str(out), "--recipe", str(recipe)]
    assert main([*words, "--threads", "1"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["step-000006", "step-000012"]
    printed = capsys.readouterr().out
    assert "step     12  loss" in printed
    assert printed.count("sha256:") == 2
    assert printed.count("\ndef ") == 2


def test_a_training_goes_on_from_its_last_checkpoint(
    tmp_path: Path, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_texts(tmp_path / "texts")
    manifests = []
    for out, is_interrupted in ((tmp_path / "whole", False), (tmp_path / "halves", True)):
        words = ["train", str(tmp_path / "texts"), "--out", str(out), "--recipe", str(recipe)]
        assert main([*words, "--threads", "1"]) == 0
        if is_interrupted:
            for path in (out / "step-000012").iterdir():
                path.unlink()
            (out / "step-000012").rmdir()
            capsys.readouterr()
            assert main([*words, "--threads", "1"]) == 0
            assert "step      6" not in capsys.readouterr().out
        manifests.append((out / "step-000012" / "model.safetensors").read_bytes())
    assert manifests[0] == manifests[1]


def test_without_a_recipe_the_standard_one_is_split_for_the_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "only.txt").write_text("one file", encoding="utf-8")
    assert main(["train", str(tmp_path / "texts"), "--out", str(tmp_path / "out")]) == 1
    assert "cannot be split" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"trainer":"mine/v1"}', "trainer: expected byte-gpt/v1"),
        ("[]", "recipe: expected an object"),
        ('{"trainer":"byte-gpt/v1","trainer":"byte-gpt/v1"}', "expected one such field"),
    ],
)
def test_a_bad_recipe_is_said_to_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, reason: str
) -> None:
    write_texts(tmp_path / "texts")
    path = tmp_path / "recipe.json"
    path.write_text(content, encoding="utf-8")
    words = ["train", str(tmp_path / "texts"), "--out", str(tmp_path / "out")]
    assert main([*words, "--recipe", str(path)]) == 1
    assert reason in capsys.readouterr().err


def test_a_token_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["join", "--url", "http://127.0.0.1:9", "--token-file", str(tmp_path / "none")]
    assert main([*words, "--directory", str(tmp_path)]) == 1
    assert str(tmp_path / "none") in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "\n", "two words", "a\x00b"])
def test_a_token_file_without_a_token_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(NoToken, match="expected a token, found none"):
        read_token(path)


def test_a_registry_that_refuses_the_token_is_said_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    token = tmp_path / "token"
    token.write_text("assay_another", encoding="utf-8")
    with site(world):
        words = ["join", "--url", world.url, "--token-file", str(token)]
        assert main([*words, "--directory", str(tmp_path / "node"), "--threads", "1"]) == 1
        assert "expected the token" in capsys.readouterr().err
        assert TOKEN not in world.misuses.pop()


def test_the_first_signal_asks_and_the_second_insists() -> None:
    stopped = stop_on_signals()
    signal.raise_signal(signal.SIGTERM)
    assert stopped.is_set()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_the_doctor_shows_the_machine_and_its_speed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "standard", recipe_document)
    world = World()
    with site(world):
        assert main(["doctor", "--url", world.url, "--threads", "1"]) == 0
    printed = capsys.readouterr().out
    assert "threads     1" in printed
    assert "kB/s of the standard recipe" in printed
    assert "answers; its trust root is sha256:" in printed


def test_the_doctor_says_when_no_registry_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "standard", recipe_document)
    assert main(["doctor", "--url", "http://127.0.0.1:9", "--threads", "1"]) == 1
    assert "cannot be reached" in capsys.readouterr().out


@pytest.mark.parametrize(
    "word", [[], ["train"], ["join"], ["generate"], ["regenerate"], ["doctor"]]
)
def test_each_word_explains_itself(word: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*word, "--help"])
    assert left.value.code == 0
    assert "usage: assay-train" in capsys.readouterr().out


def test_the_exit_codes_are_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "exit codes: 0 done" in capsys.readouterr().out


def test_wrong_usage_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["dance"])
    assert left.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_an_interrupted_training_exits_with_0(
    tmp_path: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_texts(tmp_path / "texts")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("assay.trainers.commands.train.train", interrupt)
    words = ["train", str(tmp_path / "texts"), "--out", str(tmp_path / "out")]
    assert main([*words, "--recipe", str(recipe), "--threads", "1"]) == 0


def test_trustmark_wants_a_key_that_vouches_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    words = ["generate", "--url", "http://localhost:1", "--token-file", str(tmp_path / "token")]
    assert main([*words, "--trustmark", str(tmp_path)]) == 1
    assert "--trustmark: expected --watermark-key FILE with it" in capsys.readouterr().err
    (tmp_path / "key").write_text("a" * 32)
    with_key = ["--watermark-key", str(tmp_path / "key"), "--trustmark", str(tmp_path)]
    assert main([*words, *with_key]) == 1
    assert "encoder_Q.onnx: expected the network sha256:" in capsys.readouterr().err
