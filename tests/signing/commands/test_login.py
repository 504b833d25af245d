# SPDX-License-Identifier: Apache-2.0
"""`assay login` keeps a token for one registry, and nobody else is shown it."""

from __future__ import annotations

import getpass
import io
import json
import sys
import traceback
from pathlib import Path

import pytest

from assay.signing.commands import callers
from assay.signing.commands.logins import Login, Logins
from tests.signing.client.registry import Answer, Loopback
from tests.signing.commands.desk import TOKEN, Desk
from tests.signing.world import AT, World

OTHER = TOKEN.replace("canary", "parrot")
ANSWER = {
    "actor": "user:bob",
    "scopes": ["publish", "read"],
    "project": "",
    "token": 7,
    "expires_at": "2026-12-21T09:30:00.123456Z",
    "storage": [{"name": "bob", "used_bytes": 1_200_000, "allowed_bytes": 100 << 30}],
}


@pytest.fixture(autouse=True)
def _nothing_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_TOKEN", raising=False)


@pytest.fixture
def file(desk: Desk, registry: Loopback) -> Path:
    """A file with a token that the registry knows."""
    registry.on_json("GET", "/api/v1/whoami", ANSWER)
    path = desk.folder / "token"
    path.write_text(TOKEN + "\n")
    return path


def kept(registry: Loopback) -> Login | None:
    return Logins.of_user().find(registry.url)


def test_a_token_is_kept_where_only_its_owner_may_read_it(
    desk: Desk, registry: Loopback, file: Path
) -> None:
    code, out, _ = desk.assay("login", registry.url + "/", "--token-file", file)
    assert (code, TOKEN in out) == (0, False)
    assert "user:bob with scope publish, read, until 2026-12-21 09:30 UTC." in " ".join(out.split())
    path = Logins.of_user().path(registry.url)
    assert str(path) in out
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert kept(registry) == Login(registry=registry.url, secret=TOKEN)


def test_programs_are_told_whose_it_is_and_where_it_is_kept(
    desk: Desk, registry: Loopback, file: Path
) -> None:
    code, out, _ = desk.assay("login", registry.url, "--token-file", file, "--json")
    assert (code, TOKEN in out) == (0, False)
    said = json.loads(out)
    assert said["kept_in"] == str(Logins.of_user().path(registry.url))
    assert (said["registry"], said["actor"]) == (registry.url, "user:bob")
    _, out, _ = desk.assay("logout", registry.url, "--json")
    assert json.loads(out) == {"registry": registry.url, "revoked": False}
    assert kept(registry) is None


def test_without_an_address_it_is_the_registry_that_one_trusts(
    desk: Desk, registry: Loopback, file: Path
) -> None:
    assert desk.assay("login", "--token-file", file)[0] == 23
    desk.pin(World.create(at=AT, registry=registry.url))
    assert desk.assay("login", "--token-file", file)[0] == 0
    desk.pin()
    code, _, err = desk.assay("login", "--token-file", file)
    assert (code, "expected a URL, as you trust several" in err) == (34, True)


@pytest.mark.parametrize(
    ("given", "code"), [(TOKEN.encode(), 0), (b"", 36), (b"\xff", 36), (b"hunter2", 36)]
)
@pytest.mark.parametrize("words", [(), ("--token-file", "-")])
@pytest.mark.usefixtures("file")
def test_in_a_pipe_it_is_read_from_standard_input(
    desk: Desk,
    registry: Loopback,
    monkeypatch: pytest.MonkeyPatch,
    given: bytes,
    code: int,
    words: tuple[str, ...],
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    found, out, err = desk.assay("login", registry.url, *words)
    assert (found, "hunter2" in out + err) == (code, False)
    assert bool(registry.seen) == (kept(registry) is not None) == (code == 0)


def test_what_the_registry_does_not_know_is_not_kept(
    desk: Desk, registry: Loopback, file: Path
) -> None:
    problem = {"detail": "expected a live token; this one was revoked", "code": "token-revoked"}
    registry.on_json("GET", "/api/v1/whoami", problem, status=401)
    code, _, err = desk.assay("login", registry.url, "--token-file", file)
    assert (code, "this one was revoked" in err, TOKEN in err) == (5, True, False)
    assert kept(registry) is None


def test_a_file_that_is_not_there_is_said(desk: Desk, registry: Loopback) -> None:
    for name in (desk.folder / "none", desk.folder, "\0"):
        code, _, _ = desk.assay("login", registry.url, "--token-file", name)
        assert code == 30


@pytest.mark.parametrize(
    "url", ["http://registry.test", "http://10.0.0.1:8000", "http://127.0.0.1.evil.test"]
)
def test_over_a_network_it_goes_by_https_alone(desk: Desk, file: Path, url: str) -> None:
    code, _, err = desk.assay("login", url, "--token-file", file)
    assert (code, "address-not-private" in err) == (38, True)


@pytest.mark.parametrize(
    "url",
    [
        "registry.test",
        "ftp://registry.test",
        "https://",
        "https://x/?a",
        "https://x/#a",
        "https://x:port",
    ],
)
def test_what_is_no_address_is_refused(desk: Desk, file: Path, url: str) -> None:
    code, _, err = desk.assay("login", url, "--token-file", file)
    assert (code, "expected the address of a registry" in err) == (10, True)


def test_a_password_in_an_address_is_not_repeated(desk: Desk, file: Path) -> None:
    code, _, err = desk.assay("login", "https://bob:hunter2@x.test", "--token-file", file)
    assert (code, "hunter2" in err) == (10, False)


def test_a_registry_at_another_address_never_gets_it(
    desk: Desk, registry: Loopback, file: Path
) -> None:
    assert desk.assay("login", registry.url, "--token-file", file)[0] == 0
    assert callers.secret_for(registry.url) == TOKEN
    for other in (registry.url.replace("127.0.0.1", "localhost"), "https://registry.test"):
        assert callers.secret_for(other) is None
    path = Logins.of_user().path(registry.url)
    path.rename(Logins.of_user().path("https://registry.test"))  # nor by a file under its name
    assert desk.assay("whoami", "https://registry.test")[0] == 30


def test_what_a_program_gives_goes_before_what_is_kept(
    desk: Desk, registry: Loopback, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_TOKEN", OTHER)
    code, out, _ = desk.assay("login", registry.url, "--token-file", file)
    assert (code, "ASSAY_TOKEN is set" in out) == (0, True)
    desk.assay("whoami", registry.url)
    shown = [each.headers["Authorization"] for each in registry.seen]
    assert shown == [f"Bearer {TOKEN}", f"Bearer {OTHER}"]


@pytest.mark.parametrize("given", ["hunter2", f"{TOKEN}\nX: y", f"Bearer {TOKEN}"])
def test_a_variable_that_holds_no_token_is_not_sent(
    desk: Desk, registry: Loopback, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("ASSAY_TOKEN", given)
    code, _, err = desk.assay("whoami", registry.url)
    assert (code, registry.seen) == (36, [])
    assert not {"hunter2", TOKEN} & set(err.split())


def test_a_variable_is_not_sent_over_plain_http(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    desk.pin()
    code, _, err = desk.assay("download", "alice/tiny", "--registry", "http://registry.test")
    assert (code, "expected https" in err) == (38, True)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        TOKEN.encode(),
        f'{{"token":"{TOKEN}"}}'.encode(),
        f'{{"registry":"URL","token":["{TOKEN}"],"type":"https://assay/login/v1"}}'.encode(),
    ],
)
def test_a_damaged_file_is_an_error_that_repeats_nothing(
    desk: Desk, registry: Loopback, file: Path, data: bytes
) -> None:
    desk.assay("login", registry.url, "--token-file", file)
    Logins.of_user().path(registry.url).write_bytes(data.replace(b"URL", registry.url.encode()))
    code, _, err = desk.assay("whoami", registry.url)
    assert (code, "assay logout" in err, TOKEN in err) == (30, True, False)
    with pytest.raises(Exception, match="found something else") as caught:
        kept(registry)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=False)
    assert TOKEN not in "".join(shown.format())
    assert desk.assay("logout", registry.url)[0] == 0


def test_a_file_that_others_may_read_is_refused(desk: Desk, registry: Loopback, file: Path) -> None:
    desk.assay("login", registry.url, "--token-file", file)
    Logins.of_user().path(registry.url).chmod(0o640)
    code, _, err = desk.assay("whoami", registry.url)
    assert (code, "found mode 640" in err) == (30, True)


def test_a_folder_that_cannot_be_written_or_read_is_said(
    desk: Desk, registry: Loopback, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_CONFIG", str(file))
    for words in (
        ("login", registry.url, "--token-file", file),
        ("whoami", registry.url),
        ("logout", registry.url),
    ):
        code, _, err = desk.assay(*words)
        assert (code, "Not a directory" in err) == (30, True)


def test_logging_out_forgets_it(desk: Desk, registry: Loopback, file: Path) -> None:
    desk.assay("login", registry.url, "--token-file", file)
    code, out, _ = desk.assay("logout", registry.url)
    assert (code, f"{registry.url}/settings/tokens" in out) == (0, True)
    assert kept(registry) is None
    for more in ((), ("--revoke",)):
        code, _, err = desk.assay("logout", registry.url, *more)
        assert (code, "not-logged-in: expected a token that is kept" in err) == (37, True)


@pytest.mark.parametrize(("status", "code"), [(204, 0), (401, 0), (503, 5)])
def test_logging_out_may_end_it_everywhere(
    desk: Desk, registry: Loopback, file: Path, status: int, code: int
) -> None:
    desk.assay("login", registry.url, "--token-file", file)
    registry.on("DELETE", "/api/v1/tokens/7", Answer(status=status))
    found, out, _ = desk.assay("logout", registry.url, "--revoke")
    assert (found, kept(registry) is None) == (code, code == 0)
    assert ("ended it" in out) == (code == 0)
    assert registry.seen[-1].headers["Authorization"] == f"Bearer {TOKEN}"


def test_other_programs_are_given_it_and_nothing_else(
    desk: Desk, registry: Loopback, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = desk.assay("token", registry.url)
    assert (code, out, "expected a token for" in err) == (37, "", True)
    desk.assay("login", registry.url, "--token-file", file)
    asked = len(registry.seen)
    assert desk.assay("token", registry.url) == (0, f"{TOKEN}\n", "")
    monkeypatch.setenv("ASSAY_TOKEN", OTHER)
    assert desk.assay("token", registry.url) == (0, f"{OTHER}\n", "")
    assert desk.assay("token", "http://registry.example")[0] == 38
    assert len(registry.seen) == asked


def test_without_an_address_it_is_the_registry_that_one_is_logged_in_to(
    desk: Desk, registry: Loopback, file: Path
) -> None:
    assert desk.assay("whoami")[0] == 23
    desk.assay("login", registry.url, "--token-file", file)
    assert desk.assay("token") == (0, f"{TOKEN}\n", "")
    code, out, _ = desk.assay("whoami")
    assert (code, registry.url in out) == (0, True)
    other = "https://other.test"
    Logins.of_user().keep(Login(registry=other, secret=TOKEN))
    code, _, err = desk.assay("whoami")
    said = " ".join(err.split())
    assert (code, f"tokens are kept for several: {registry.url}, {other}" in said) == (34, True)
    desk.pin(World.create(at=AT, registry=registry.url))
    assert desk.assay("whoami")[0] == 0
    desk.pin()
    assert desk.assay("logout", other)[0] == 0
    assert desk.assay("logout")[0] == 0
    assert kept(registry) is None


def test_a_file_that_is_no_login_names_no_registry(desk: Desk) -> None:
    logins = Logins.of_user()
    path = logins.keep(Login(registry="https://other.test", secret=TOKEN))
    for moved in (b"{}", path.read_bytes().replace(b"other", b"moved")):
        path.write_bytes(moved)
        code, _, err = desk.assay("token")
        assert (code, "a token that assay login kept" in err, TOKEN in err) == (30, True, False)


def test_a_login_shows_itself_to_nobody() -> None:
    assert TOKEN not in repr(Login(registry="https://x", secret=TOKEN))


def test_nobody_who_is_there_to_type_has_typed_nothing(
    desk: Desk, registry: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed(io.StringIO):
        def isatty(self) -> bool:
            return True

    def hung_up(_: str) -> str:
        raise EOFError

    monkeypatch.setattr(sys, "stdin", Closed())
    monkeypatch.setattr(getpass, "getpass", hung_up)
    code, out, err = desk.assay("login", registry.url)
    assert (code, "found nothing" in err) == (36, True)
    assert f"A token is made on {registry.url}/settings/tokens" in out
    told = desk.assay("login", registry.url, "--json")[1]
    assert json.loads(told)["error"]["code"] == "no-token"


def test_whoami_says_all_that_the_registry_says(desk: Desk, registry: Loopback, file: Path) -> None:
    code, _, err = desk.assay("whoami", registry.url)
    assert (code, f"assay login {registry.url}" in err) == (37, True)
    desk.assay("login", registry.url, "--token-file", file)
    code, out, _ = desk.assay("whoami", registry.url)
    said = " ".join(out.split())
    assert (code, TOKEN in out) == (0, False)
    assert "you are user:bob scope publish, read project any that you may see" in said
    assert "until 2026-12-21 09:30 UTC; from assay login stored 1.2 MB of 107.4 GB" in said
    _, out, _ = desk.assay("whoami", registry.url, "--json")
    assert json.loads(out) == {
        **ANSWER,
        "registry": registry.url,
        "source": "assay login",
        "expires_at": "2026-12-21T09:30:00Z",
    }


def test_a_projects_token_and_an_older_registry_are_understood(
    desk: Desk, registry: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    before = {k: v for k, v in ANSWER.items() if k not in {"token", "expires_at"}}
    registry.on_json("GET", "/api/v1/whoami", {**before, "project": "lab/small"})
    code, out, _ = desk.assay("whoami", registry.url)
    said = " ".join(out.split())
    assert (code, "project lab/small token with no end that" in said) == (0, True)
    assert "from ASSAY_TOKEN" in said
    assert json.loads(desk.assay("whoami", registry.url, "--json")[1])["expires_at"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"actor": 5},
        {"scopes": [5]},
        {"expires_at": "soon"},
        {"expires_at": "2026-12-21T09:30:00"},
        {"storage": [{}]},
    ],
)
def test_an_answer_that_is_none_is_refused(
    desk: Desk, registry: Loopback, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, object]
) -> None:
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    registry.on_json("GET", "/api/v1/whoami", {**ANSWER, **wrong})
    code, out, err = desk.assay("whoami", registry.url, "--json")
    assert (code, "whoami." in err) == (10, True)
    assert set(json.loads(out)) == {"error"}


def test_a_home_is_needed_where_nothing_is_configured(
    desk: Desk, registry: Loopback, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSAY_CONFIG")
    monkeypatch.setenv("HOME", str(desk.folder))
    assert desk.assay("login", registry.url, "--token-file", file)[0] == 0
    assert list(desk.folder.glob(".config/assay/tokens/*.json"))


def test_a_folder_in_the_place_of_a_token_is_said(desk: Desk) -> None:
    path = Logins.of_user().path("https://registry.example")
    path.mkdir(parents=True)
    code, _, err = desk.assay("whoami")
    assert (code, "".join(f"{path}: Is a directory".split()) in "".join(err.split())) == (30, True)
