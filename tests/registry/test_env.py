# SPDX-License-Identifier: Apache-2.0
"""The environment: each kind of variable parsed, and a wrong one refused with what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from registry.env import CHECKOUT, MAX_NUMBER, Environment, Portion


def given(**values: str) -> Environment:
    return Environment(values=values)


def test_an_absent_or_empty_variable_has_its_default() -> None:
    for environment in (given(), given(ASSAY_LOG_LEVEL="")):
        assert environment.text("ASSAY_LOG_LEVEL", "INFO") == "INFO"


def test_a_variable_that_is_not_listed_cannot_be_read() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"ASSAY_SECRET is not one of the variables"):
        given().text("ASSAY_SECRET", "")


@pytest.mark.parametrize(
    ("value", "flag"), [("1", True), ("Yes", True), ("off", False), ("0", False)]
)
def test_a_flag_is_a_yes_or_a_no(value: str, flag: bool) -> None:
    assert given(ASSAY_DEBUG=value).flag("ASSAY_DEBUG", default=not flag) is flag
    assert given().flag("ASSAY_DEBUG", default=flag) is flag


def test_anything_else_is_no_flag() -> None:
    with pytest.raises(ImproperlyConfigured, match="'maybe'"):
        given(ASSAY_DEBUG="maybe").flag("ASSAY_DEBUG", default=False)


def test_a_choice_is_one_of_those_offered() -> None:
    name, offered = "ASSAY_DSSE_ENTRY_KIND", ("dsse/0.0.1", "hashedrekord/0.0.2")
    assert given().choice(name, *offered) == "dsse/0.0.1"
    assert given(ASSAY_DSSE_ENTRY_KIND=offered[1]).choice(name, *offered) == offered[1]
    with pytest.raises(ImproperlyConfigured, match=r"must be one of dsse/0\.0\.1, hashedrekord"):
        given(ASSAY_DSSE_ENTRY_KIND="dsse").choice(name, *offered)


def test_a_location_is_a_place_of_plain_words_or_none() -> None:
    name = "ASSAY_BLOBS_LOCATION"
    assert given().location(name) == ""
    assert given(ASSAY_BLOBS_LOCATION="/stored-blobs/").location(name) == "/stored-blobs/"
    for wrong in ("/../etc/", "stored-blobs/", "/stored-blobs", "/", "/a b/", "/a/\n"):
        with pytest.raises(ImproperlyConfigured, match=r"must be like /stored-blobs/, but is"):
            given(ASSAY_BLOBS_LOCATION=wrong).location(name)


def test_a_list_a_number_and_a_path() -> None:
    environment = given(
        ASSAY_ALLOWED_HOSTS=" a.example, ,b.example", ASSAY_DATABASE_POOL="7", ASSAY_DATA_DIR="x"
    )
    assert environment.names("ASSAY_ALLOWED_HOSTS", ()) == ("a.example", "b.example")
    assert environment.number("ASSAY_DATABASE_POOL", 0) == 7
    assert environment.path("ASSAY_DATA_DIR", Path("/y")) == CHECKOUT / "x"
    assert given().path("ASSAY_DATA_DIR", Path("/y")) == Path("/y")


@pytest.mark.parametrize("value", ["-1", "1.5", "ten", "\uff11"])
def test_a_number_is_whole_and_not_negative(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="whole number"):
        given(ASSAY_DATABASE_POOL=value).number("ASSAY_DATABASE_POOL", 0)


def test_a_number_has_its_limit() -> None:
    assert given(ASSAY_RETENTION_DAYS="36525").number("ASSAY_RETENTION_DAYS", 0, most=36_525)
    with pytest.raises(ImproperlyConfigured, match="from 0 to 36525, but is '36526'"):
        given(ASSAY_RETENTION_DAYS="36526").number("ASSAY_RETENTION_DAYS", 0, most=36_525)


@pytest.mark.parametrize("value", [str(1 << 63), "9" * 4301, "1" + "0" * 100_000])
def test_a_number_of_more_digits_than_a_row_has_is_refused_in_a_line(value: str) -> None:
    """Python alone would say of thousands that they exceed a limit of its own."""
    for name in ("ASSAY_BATCH_QUOTA", "ASSAY_DATABASE_POOL"):
        with pytest.raises(ImproperlyConfigured, match=f"{name} must be a whole number") as (
            refused
        ):
            Environment(values={name: value}).number(name, 0)
        assert len(str(refused.value)) < 200


def test_zeros_before_a_number_are_none_of_it() -> None:
    assert given(ASSAY_DATABASE_POOL="0" * 5000 + "7").number("ASSAY_DATABASE_POOL", 0) == 7
    assert given(ASSAY_DATABASE_POOL="0" * 5000).number("ASSAY_DATABASE_POOL", 1) == 0
    assert given(ASSAY_BATCH_QUOTA=str(MAX_NUMBER)).number("ASSAY_BATCH_QUOTA", 0) == MAX_NUMBER


def test_a_public_url_is_a_scheme_and_a_host() -> None:
    environment = given(ASSAY_PUBLIC_URL="https://registry.example:8443/")
    assert environment.url("ASSAY_PUBLIC_URL", "") == "https://registry.example:8443"


@pytest.mark.parametrize(
    "value",
    [
        "registry.example",
        "ftp://a",
        "https://",
        "https://a/b",
        "https://a?b",
        "https://u:p@a",
        "x:y",
    ],
)
def test_any_other_public_url_is_refused(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="ASSAY_PUBLIC_URL must be"):
        given(ASSAY_PUBLIC_URL=value).url("ASSAY_PUBLIC_URL", "")


def test_a_secret_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("k" * 32 + "\nnot this\n")
    environment = given(ASSAY_SECRET_KEY_FILE=str(file))
    assert environment.secret("ASSAY_SECRET_KEY_FILE") == "k" * 32
    assert given().secret("ASSAY_SECRET_KEY_FILE") != given().secret("ASSAY_SECRET_KEY_FILE")


def test_a_secret_that_cannot_be_read_or_is_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    for content, found in ((None, "cannot be read"), ("", "32 characters"), ("k" * 31, "32 char")):
        if content is not None:
            file.write_text(content)
        with pytest.raises(ImproperlyConfigured, match=found):
            given(ASSAY_SECRET_KEY_FILE=str(file)).secret("ASSAY_SECRET_KEY_FILE")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://us%40er:p%2Fw@db.example:5433/assay?sslmode=require",
            {
                "NAME": "assay",
                "USER": "us@er",
                "PASSWORD": "p/w",
                "HOST": "db.example",
                "PORT": "5433",
                "OPTIONS": {"sslmode": "require"},
            },
        ),
        (
            "postgresql:///assay?host=/run/a%20socket&user=postgres",
            {
                "NAME": "assay",
                "USER": "postgres",
                "PASSWORD": "",
                "HOST": "/run/a socket",
                "PORT": "",
                "OPTIONS": {},
            },
        ),
    ],
)
def test_a_database_url_is_libpqs(url: str, expected: dict[str, object]) -> None:
    database = given(DATABASE_URL=url).database("DATABASE_URL", "")
    assert database == {"ENGINE": "django.db.backends.postgresql", **expected}


def test_there_is_no_sqlite() -> None:
    with pytest.raises(ImproperlyConfigured, match="its scheme is 'sqlite'"):
        given(DATABASE_URL="sqlite:///db").database("DATABASE_URL", "")


@pytest.mark.parametrize(
    ("value", "size_bytes"),
    [("0", 0), ("512", 512), ("3K", 3072), ("2G", 2 << 30), ("1T", 1 << 40)],
)
def test_a_size_is_a_number_of_bytes(value: str, size_bytes: int) -> None:
    assert given(ASSAY_DISK_RESERVE=value).size("ASSAY_DISK_RESERVE", "7") == size_bytes
    assert given().size("ASSAY_DISK_RESERVE", value) == size_bytes


@pytest.mark.parametrize(
    "value", ["-1", "2 G", "2g", "2GB", "many", "1.5G", "٣G", "9" * 19, "1000000T"]
)
def test_anything_else_is_no_size(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="number of bytes like 500M or 2G"):
        given(ASSAY_DISK_RESERVE=value).size("ASSAY_DISK_RESERVE", "0")


def test_part_of_a_disk_is_a_share_or_a_size() -> None:
    share = given(ASSAY_DISK_RESERVE="5%").portion("ASSAY_DISK_RESERVE", "2G")
    assert (share, share.of(1000)) == (Portion(percent=5), 50)
    size = given().portion("ASSAY_DISK_RESERVE", "2G")
    assert (size.of(1000), size.of(1 << 50)) == (2 << 30, 2 << 30)


@pytest.mark.parametrize(
    "value", ["%", "-5%", "101%", "5.5%", "²%", "five", "9" * 4301 + "%", "9" * 4301]
)
def test_anything_else_is_no_part_of_a_disk(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="ASSAY_DISK_RESERVE must be"):
        given(ASSAY_DISK_RESERVE=value).portion("ASSAY_DISK_RESERVE", "2G")
