# SPDX-License-Identifier: Apache-2.0
"""The statement about a checkpoint names each of its tensors by the digest of its bytes."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from assay.signing.digests import sha256
from assay.signing.statements import (
    CHECKPOINT_V1,
    CHECKPOINT_V2,
    CheckpointClaim,
    ListReference,
    Statement,
)
from assay.signing.tensors import MAX_STATED, Span, TensorList
from assay.signing.verify import Basis, examine_checkpoint
from registry.catalog import queries, services
from registry.catalog.content import tensors
from registry.catalog.models import Checkpoint, Visibility
from registry.catalog.models.found import Tensor, TensorDigests
from tests.registry.catalog.weights import file, tensor, weights
from tests.registry.catalog.world import FILES, World, by_person, publish
from tests.registry.people import client_of
from tests.registry.verifying import demands
from tests.running import Authority


def claim_of(checkpoint: Checkpoint) -> CheckpointClaim:
    assert checkpoint.statement is not None
    return CheckpointClaim.parse(Statement.parse(bytes(checkpoint.statement.payload)))


def listed(of: Checkpoint) -> TensorList:
    return tensors.parsed(b"".join(tensors.lines(of)))


def noise(size_bytes: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size_bytes)  # noqa: S311 - the same each time


def test_what_is_published_names_its_tensors(world: World, authority: Authority) -> None:
    published = publish(by_person(world))
    found = listed(published)
    assert [each.name for each in found.entries] == ["embedding.weight", "head.bias"]
    assert found.entries[1].sha256 == sha256(b"\x04\x05")
    assert claim_of(published).tensors == ListReference(count=2, sha256=found.sha256)
    evidence = queries.evidence(published)
    assert evidence.tensors == found
    basis = Basis(trust=authority.trust_root, requirements=demands())
    examined = examine_checkpoint(evidence, basis=basis, files=evidence.manifest, tensors=found)
    assert {step.code for step in examined.steps} >= {"tensors", "checkpoint.tensors"}
    assert examined.verdict().checkpoint == claim_of(published)


def test_files_without_tensors_are_signed_as_they_always_were(world: World, client: Client) -> None:
    published = publish(by_person(world, files={"a.txt": b"text"}))
    assert published.statement is not None
    assert published.statement.predicate_type == CHECKPOINT_V1
    assert queries.evidence(published).tensors is None
    answer = client.get(f"/api/v1/checkpoints/sha256:{published.manifest_sha256}/tensors")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert b"/tensors" not in client.get(published.path).content


def test_the_api_gives_the_very_bytes_that_are_named(world: World, client: Client) -> None:
    published = publish(by_person(world))
    answer = client.get(f"/api/v1/checkpoints/sha256:{published.manifest_sha256}/tensors")
    assert answer["Content-Type"] == "application/x-ndjson"
    named = claim_of(published).tensors
    assert named is not None
    content = answer.getvalue()
    assert sha256(content) == named.sha256
    page = client.get(published.path).content.decode()
    (listed,) = re.findall(r'href="([^"]+/tensors[^"]*)"', page)
    assert client.get(listed).getvalue() == content
    first = json.loads(content.splitlines()[0])
    assert (first["file"], first["name"]) == ("model.safetensors", "embedding.weight")


def test_who_has_the_list_is_not_sent_it_again(
    world: World, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    published = publish(by_person(world))
    path = f"/api/v1/checkpoints/sha256:{published.manifest_sha256}/tensors"
    answer = client.get(path)
    assert answer["ETag"] == f'"{tensors.signed(published).sha256}"'
    with django_assert_num_queries(1):
        again = client.get(path, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    assert client.get(path, headers={"If-None-Match": '"another"'}).status_code == 200


def test_those_of_a_private_project_are_for_its_members(world: World, client: Client) -> None:
    published = publish(by_person(world))
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    path = f"/api/v1/checkpoints/sha256:{published.manifest_sha256}/tensors"
    assert client.get(path).status_code == 404
    assert client_of(world.people.alice, "read").get(path).status_code == 200


def test_a_file_is_hashed_once_for_all_checkpoints_with_it(world: World) -> None:
    publish(by_person(world))
    TensorDigests.objects.update(count=7)  # whoever counts again overwrites it
    publish(by_person(world, "second", files={**FILES, "n.txt": b"2"}))
    assert list(TensorDigests.objects.values_list("count", flat=True)) == [7]


def test_a_list_that_is_too_long_is_named_and_not_stated(world: World) -> None:
    names = (f"t{number:05}" for number in range(MAX_STATED + 1))
    many = weights(dict.fromkeys(names, b"\x01"))
    published = publish(by_person(world, files={"model.safetensors": many}))
    named = claim_of(published).tensors
    assert named is not None
    assert named.count == MAX_STATED + 1
    assert queries.evidence(published).tensors is None


def test_a_name_with_what_the_database_cannot_keep_is_kept(world: World) -> None:
    odd = file({"a\x00b": tensor(0, 1)}, b"x")
    published = publish(by_person(world, files={"model.safetensors": odd}))
    assert [each.name for each in listed(published).entries] == ["a\x00b"]
    assert published.statement is not None
    assert published.statement.predicate_type == CHECKPOINT_V2


@pytest.mark.parametrize(
    ("content", "is_proof"),
    [
        (noise(1024), True),
        (noise(1023), False),
        (noise(1 << 20), True),
        (bytes(1 << 20), False),
        (b"\x00\x00\x80\x3f" * 4096, False),
        (b"".join(n.to_bytes(8, "little") for n in range(4096)), False),
        (b"".join(bytes(n) + b"\x01" * (256 - n) for n in range(256)), False),
    ],
    ids=["noise", "small", "much", "zeros", "ones", "positions", "a mask"],
)
def test_what_all_models_of_a_shape_have_proves_nothing(
    tmp_path: Path, content: bytes, is_proof: bool
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before" + content)
    span = Span(name="x", dtype="U8", shape=(), start=6, end=6 + len(content))
    assert tensors.proves(path, span) is is_proof


def test_only_what_proves_something_can_be_found_by_its_digest(world: World) -> None:
    values = {"a": noise(2048), "b": noise(2048), "c": bytes(2048)}
    publish(by_person(world, files={"model.safetensors": weights(values)}))
    row = TensorDigests.objects.get()
    assert (row.count, row.proofs) == (3, 1)
    assert [bytes(each.sha256).hex() for each in Tensor.objects.all()] == [sha256(noise(2048))]
