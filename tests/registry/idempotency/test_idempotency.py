# SPDX-License-Identifier: Apache-2.0
"""Idempotency keys: one execution, one answer, and no memory of what did not happen."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from django.db import connection, connections, transaction
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils import timezone
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from registry.api.problems import NotFound
from registry.events.models import Event
from registry.idempotency import services, tasks
from registry.idempotency.api import idempotent, idempotent_in_steps
from registry.idempotency.errors import InProgress
from registry.idempotency.models import Attempt
from registry.idempotency.services import Answer, Call
from tests.registry.people import People, client_of, client_of_job
from tests.until import until

Result = TypeVar("Result")
SHA = "0" * 64
CALL = Call(caller="user:1", route="POST /things", key="k1", body_sha256=SHA)
ANSWER = Answer(status=201, body={"id": 1}, headers={})
FIRST = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = FIRST + services.ABANDONED_AFTER + timedelta(seconds=1)
runs: list[object] = []
gate = threading.Event()


class Things(APIView):
    """Makes a thing (an event will do), and says which."""

    permission_classes = (IsAuthenticated,)

    @idempotent
    def post(self, request: Request) -> Response:
        runs.append(request.data)
        thing = Event.objects.create(topic="thing:1", kind="made", data={})
        match request.data:
            case {"fail": "refuse"}:
                raise NotFound("expected something else")
            case {"fail": "answer"}:
                return Response({}, status=409)
            case {"fail": "crash"}:
                raise RuntimeError("out of order")
            case {"slow": "at first"} if len(runs) == 1:
                gate.wait(120)
        return Response({"id": thing.pk}, status=201, headers={"Location": f"/things/{thing.pk}"})


class Slow(APIView):
    """Waits until the test lets it go on."""

    permission_classes = (IsAuthenticated,)

    @idempotent_in_steps
    def post(self, request: Request, name: str) -> Response:
        runs.append(name)
        gate.wait(120)
        return Response(status=204)


urlpatterns = [path("things", Things.as_view()), path("slow/<name>", Slow.as_view())]
handler500 = "registry.api.pages.server_error"


@pytest.fixture(autouse=True)
def _these_views() -> Iterator[None]:
    runs.clear()
    gate.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def alice(people: People) -> APIClient:
    return client_of(people.alice, "publish")


def post(
    client: APIClient, body: object, key: str | None = "k1", url: str = "/things"
) -> HttpResponse:
    headers = {"Accept": "application/json"}
    if key is not None:
        headers["Idempotency-Key"] = key
    answer: HttpResponse = client.post(url, body, headers=headers)
    return answer


def on_its_own_connection(do: Callable[[], Result]) -> Result:
    """In a thread: its connection would outlive the test."""
    try:
        return do()
    finally:
        connections.close_all()


def json_of(answer: HttpResponse) -> dict[str, object]:
    document: dict[str, object] = json.loads(answer.content)
    return document


def test_the_same_request_is_executed_once_and_answered_twice(alice: APIClient) -> None:
    first, second = post(alice, {"a": 1, "b": 2}), post(alice, {"b": 2, "a": 1})
    assert len(runs) == Event.objects.count() == 1
    assert (first.status_code, json_of(first)) == (second.status_code, json_of(second))
    assert first["Location"] == second["Location"]
    assert (first.get("Idempotency-Replayed"), second["Idempotency-Replayed"]) == (None, "true")


def test_without_a_key_every_request_is_a_new_one(alice: APIClient) -> None:
    assert json_of(post(alice, {}, None)) != json_of(post(alice, {}, None))


def test_another_body_is_refused(alice: APIClient) -> None:
    post(alice, {"a": 1})
    answer = post(alice, {"a": 2})
    assert (answer.status_code, json_of(answer)["code"]) == (422, "idempotency-mismatch")
    assert len(runs) == 1


def test_a_publishers_keys_are_its_own(alice: APIClient, people: People) -> None:
    first = json_of(post(alice, {}))
    jobs = [client_of_job(people.alice, number=number) for number in (7, 8, 7)]
    of_jobs = [json_of(post(job, {})) for job in jobs]
    assert first not in of_jobs
    assert of_jobs[0] == of_jobs[2] != of_jobs[1]  # by another token of the same publisher
    assert Event.objects.count() == 3
    assert json_of(post(client_of(people.alice, "publish"), {})) == first


def test_a_key_belongs_to_its_caller_and_its_route(alice: APIClient, people: People) -> None:
    gate.set()
    post(alice, {})
    post(client_of(people.bob, "publish"), {})
    for name in ("a", "b"):
        assert post(alice, {}, url=f"/slow/{name}").status_code == 204
    assert runs == [{}, {}, "a", "b"]


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "tab\t"])
def test_a_key_is_printable_ascii(alice: APIClient, key: str) -> None:
    answer = post(alice, {}, key)
    assert (answer.status_code, json_of(answer)["code"]) == (400, "idempotency-key-invalid")
    assert not runs


@pytest.mark.parametrize("fail", ["refuse", "answer"])
def test_what_was_refused_may_be_tried_again_with_the_same_key(alice: APIClient, fail: str) -> None:
    assert post(alice, {"fail": fail}).status_code >= 400
    assert post(alice, {}).status_code == 201
    assert len(runs) == 2


def test_what_crashed_is_undone_and_may_be_tried_again(alice: APIClient) -> None:
    alice.raise_request_exception = False
    assert post(alice, {"fail": "crash"}).status_code == 500
    assert not Event.objects.exists()
    assert not Attempt.objects.exists()
    assert post(alice, {}).status_code == 201


def test_anybody_is_nobody_to_remember(db: None) -> None:
    answer = post(client_of(None), {})
    assert answer.status_code == 401
    assert not Attempt.objects.exists()


def test_a_request_whose_process_died_may_be_taken_over_by_the_same_one(alice: APIClient) -> None:
    post(alice, {"a": 1})
    died_at = timezone.now() - services.ABANDONED_AFTER - timedelta(seconds=1)
    Attempt.objects.update(status=None, started_at=died_at)
    assert json_of(post(alice, {"a": 2}))["code"] == "idempotency-mismatch"
    assert post(alice, {"a": 1}).status_code == 201
    assert len(runs) == 2


def test_after_a_day_the_key_is_free_and_the_sweep_forgets_it(alice: APIClient) -> None:
    post(alice, {"a": 1})
    post(alice, {"a": 1}, "k2")
    Attempt.objects.update(started_at=timezone.now() - timedelta(hours=25))
    assert post(alice, {"a": 2}).status_code == 201
    tasks.sweep()
    assert list(Attempt.objects.values_list("key", flat=True)) == ["k1"]


@pytest.mark.django_db(transaction=True)
def test_while_the_first_runs_the_others_are_told_so(people: People) -> None:
    client = client_of(people.alice, "publish")

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(on_its_own_connection, lambda: post(client, {}, url="/slow/a"))
        until(lambda: runs)
        answer = post(client, {}, url="/slow/a")
        assert (answer.status_code, json_of(answer)["code"]) == (409, "idempotency-in-progress")
        gate.set()
        assert running.result().status_code == 204
    assert post(client, {}, url="/slow/a")["Idempotency-Replayed"] == "true"
    assert runs == ["a"]


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_are_executed_once(people: People) -> None:
    client = client_of(people.alice, "publish")

    def one(_: int) -> int:
        return on_its_own_connection(lambda: post(client, {"a": 1})).status_code

    with ThreadPoolExecutor(25) as pool:
        statuses = list(pool.map(one, range(50)))
    assert set(statuses) <= {201, 409}
    assert len(runs) == Event.objects.count() == 1
    assert post(client, {"a": 1})["Idempotency-Replayed"] == "true"


@pytest.mark.django_db(transaction=True)
def test_a_dead_request_is_taken_over_once(people: People) -> None:
    client = client_of(people.alice, "publish")
    post(client, {"a": 1})
    Attempt.objects.update(status=None, started_at=timezone.now() - timedelta(minutes=5))
    runs.clear()

    def one(_: int) -> int:
        return on_its_own_connection(lambda: post(client, {"a": 1})).status_code

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(one, range(20))) <= {201, 409}
    assert len(runs) == 1


def test_who_was_taken_over_neither_answers_nor_forgets(db: None) -> None:
    assert services.claim(CALL, now=FIRST) is None
    assert services.claim(CALL, now=SECOND) is None
    with pytest.raises(InProgress):
        services.keep(CALL, ANSWER, started_at=FIRST)
    services.forget(CALL, started_at=FIRST)
    with pytest.raises(InProgress):
        services.claim(CALL, now=SECOND)
    services.keep(CALL, ANSWER, started_at=SECOND)
    assert services.claim(CALL, now=SECOND) == ANSWER


@pytest.mark.django_db(transaction=True)
def test_what_a_slow_request_wrote_is_undone_once_another_took_its_place(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "ABANDONED_AFTER", timedelta(0))
    client, body = client_of(people.alice, "publish"), {"slow": "at first"}
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(on_its_own_connection, lambda: post(client, body))
        until(lambda: runs)
        quick = post(client, body)
        assert (quick.status_code, len(runs)) == (201, 2)
        gate.set()
        assert json_of(slow.result())["code"] == "idempotency-in-progress"
    assert Event.objects.count() == 1
    assert json_of(post(client, body)) == json_of(quick)


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_is_just_being_kept_is_not_taken_over() -> None:
    assert services.claim(CALL, now=FIRST) is None
    seen = Attempt.objects.get()
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        services.keep(CALL, ANSWER, started_at=FIRST)
        late = pool.submit(on_its_own_connection, lambda: services._take_over(seen, SECOND))
        until(_somebody_waits_for_a_row)
    assert late.result() is False
    assert services.claim(CALL, now=SECOND) == ANSWER


def _somebody_waits_for_a_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        (waiting,) = cursor.fetchone()
    return bool(waiting)


ODD = ("", " ", '"', "\\", "{x,y}", "NULL", "null", "'", "é", "🜚", "%s", "a" * 200)


@pytest.mark.django_db(transaction=True)
def test_answers_that_are_kept_together_are_those_of_their_keys() -> None:
    calls = [Call(caller="user:1", route="POST /things", key=key, body_sha256=SHA) for key in ODD]
    answers = [Answer(status=201, body={"id": key}, headers={"X": key}) for key in ODD]
    kept = {uuid.uuid4(): each for each in zip(calls, answers, strict=True)}
    with transaction.atomic():
        assert services.keep_new(kept, now=FIRST) == kept.keys()
    known = services.repeated(calls, now=FIRST)
    assert [known[call] for call in calls] == answers
    with transaction.atomic():
        again = {uuid.uuid4(): each for each in kept.values()}
        assert services.keep_new(again, now=FIRST) == set()
