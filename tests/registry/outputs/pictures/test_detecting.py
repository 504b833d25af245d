# SPDX-License-Identifier: Apache-2.0
"""What anybody may ask of a picture: signed, marked, alike, or unknown, which proves nothing."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from assay.trainers.pictures import files
from registry.outputs import limits
from registry.outputs.errors import LookingUnavailable, UnusablePicture
from registry.outputs.models import Output
from registry.outputs.pictures import finding, looking
from tests.needing import forbidden
from tests.registry.people import client_of
from tests.registry.pool.world import Lab
from tests.trainers.pictures.scenes import cut, saved, scaled, scene

URL = "/api/v1/detect/picture"


def ask(data: bytes, kind: str = "image/png", status: int = 200) -> dict[str, Any]:
    answer = APIClient().generic("POST", URL, data, content_type=kind)  # type: ignore[arg-type]  # bytes are as good
    said: dict[str, Any] = answer.json()
    if said.get("code") == "looking-unavailable" and "Landlock" in said["detail"]:
        forbidden(said["detail"])
    assert answer.status_code == status, said
    return said


def png_of(output: Output) -> bytes:
    return bytes(output.picture.file)


def test_the_file_itself_is_signed(signed: Output) -> None:
    said = ask(png_of(signed))
    assert said["answer"] == "signed"
    assert [each["id"] for each in said["signed"]] == [str(signed.pk)]
    assert said["watermark"]["is_found"]
    assert "verify it" in said["says"]
    assert said["resembles"] == []


def test_a_copy_shows_the_mark_and_whose_it_is(signed: Output) -> None:
    pixels = files.read(io.BytesIO(png_of(signed)))
    copy = files.written(saved(scaled(cut(pixels, 30, 60, 400), 0.9), quality=75), "JPEG")
    said = ask(copy, "image/jpeg")
    assert said["answer"] == "watermark"
    assert said["watermark"]["p_value"] < 1e-6
    assert [each["id"] for each in said["watermark"]["outputs"]] == [str(signed.pk)]
    assert "no signature" in said["says"]
    assert said["signed"] == []


def test_a_small_copy_looks_alike(signed: Output) -> None:
    pixels = files.read(io.BytesIO(png_of(signed)))
    said = ask(files.written(scaled(pixels, 0.2), "WEBP"), "image/webp")
    assert said["answer"] == "resembles"
    (near,) = said["resembles"]
    assert near["id"] == str(signed.pk)
    assert near["differing_bits"] <= finding.MAX_DISTANCE < near["of_bits"]


def test_another_picture_is_unknown_which_proves_nothing(signed: Output) -> None:
    said = ask(files.write(scene(77, 160)))
    assert (said["answer"], said["signed"], said["resembles"]) == ("unknown", [], [])
    assert not said["watermark"]["is_found"]
    assert "proves nothing" in said["says"]


def test_what_was_asked_is_in_nothing_that_is_told(signed: Output) -> None:
    said = ask(png_of(signed))
    assert "prompt" not in str(said)
    answer = APIClient().get(f"/api/v1/outputs/{signed.pk}")
    assert answer.status_code == 404  # whoever asked reads it, and nobody else


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"no picture", "found another file"), (b"", "at most 8388608 bytes, found 0")],
)
def test_what_is_no_picture_is_refused(db: None, data: bytes, reason: str) -> None:
    said = ask(data, status=422)
    assert (said["code"], reason in said["detail"]) == ("unusable-picture", True)


def test_only_pictures_are_taken(db: None) -> None:
    ask(b"{}", "application/json", status=415)


def test_one_address_asks_ten_times_a_minute(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.LookingRate, "rate", "2/min")
    for _ in range(2):
        ask(b"", status=422)
    assert ask(b"", status=429)["code"] == "throttled"


def test_where_nobody_looks_a_known_file_is_known(signed: Output, settings: Settings) -> None:
    settings.CONVERTER = "off"
    said = ask(png_of(signed))
    assert (said["answer"], said["watermark"]) == ("signed", None)
    assert ask(files.write(scene(5, 64)), status=503)["code"] == "looking-unavailable"


def test_a_few_are_looked_at_at_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(looking.MAX_AT_ONCE):
        assert looking._places.acquire(blocking=False)
    try:
        with pytest.raises(LookingUnavailable, match="as many; ask again"):
            looking.look(b"a", ())
    finally:
        for _ in range(looking.MAX_AT_ONCE):
            looking._places.release()


@pytest.mark.parametrize(
    ("lines", "error", "reason"),
    [
        ([], LookingUnavailable, "ended before it began"),
        (['{"unconfined": "no Landlock"}'], LookingUnavailable, "found no Landlock"),
        (["nonsense"], LookingUnavailable, "ended before it began"),
        (['{"confined": true}'], UnusablePicture, "ended the program"),
        (['{"confined": true}', '{"fingerprint": "f"}'], UnusablePicture, "ended the"),
        (['{"confined": true}', "[]"], UnusablePicture, "ended the program"),
    ],
)
def test_what_the_program_says_is_a_strangers_word(
    lines: list[str], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        looking._judged(lines)


def test_a_mark_of_impossible_chance_is_none() -> None:
    mark = '{"scheme": "tile/v1", "key": "k", "p_value": 2, "scale": 1, "number": null}'
    seen = f'{{"fingerprint": "{"0" * 32}", "height": 1, "width": 1, "mark": {mark}}}'
    with pytest.raises(UnusablePicture):
        looking._judged(['{"confined": true}', seen])
    fair = looking._judged(['{"confined": true}', seen.replace('"p_value": 2', '"p_value": 1')])
    assert fair.mark is not None
    with pytest.raises(UnusablePicture):
        looking._judged(['{"confined": true}', seen.replace("tile/v1", "another")])


def page(data: bytes, status: int = 200) -> str:
    sent = SimpleUploadedFile("picture.png", data, content_type="image/png")
    answer = Client().post("/detect", {"picture": sent})
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_page_says_the_same(signed: Output) -> None:
    shown = page(png_of(signed))
    assert "Signed here" in shown
    assert "this file, to the byte" in shown
    assert f"/c2pa/manifests/{signed.pk}" in shown
    pixels = files.read(io.BytesIO(png_of(signed)))
    shown = page(files.written(saved(pixels, quality=70), "PNG"))
    assert "by the number in the mark" in shown
    assert "of 128 bits differ" in shown
    assert "Unknown" in page(files.write(scene(77, 160)))
    assert "found another file" in page(b"no picture", 422)


def test_its_own_page_shows_the_picture(signed: Output, lab: Lab) -> None:
    client = Client()
    client.force_login(lab.people.bob)
    shown = client.get(f"/outputs/{signed.pk}").content.decode()
    assert f'src="/api/v1/outputs/{signed.pk}/content"' in shown
    assert "512 × 512 pixels, seed 3" in shown
    assert client.get(f"/api/v1/outputs/{signed.pk}/content").status_code == 200
    assert client_of(None).get(f"/api/v1/outputs/{signed.pk}/content").status_code == 404


def test_near_fingerprints_are_found_by_the_index_and_far_ones_are_not(signed: Output) -> None:
    own = int(signed.picture.fingerprint, 16)

    def turned(bits: int) -> str:
        spread = (own ^ sum(1 << (each * 8 + 3) for each in range(bits))) & (2**128 - 1)
        return f"{spread:032x}"

    for bits in (0, 1, 8, 15):
        (near,) = finding.by_fingerprint(turned(bits))
        assert (near.output.pk, near.distance) == (signed.pk, bits)
    assert finding.by_fingerprint(turned(16)) == []
