# SPDX-License-Identifier: Apache-2.0
"""Gates over HTTP: what a caller has of a gated project, asking for it, and the owner's answers."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.accounts import queries as accounts
from registry.accounts import reading
from registry.accounts.permissions import HasScope, ScopeToWrite
from registry.accounts.queries import User
from registry.api.problems import InvalidRequest
from registry.idempotency.api import idempotent

from .. import queries, services
from ..errors import AccessUnknown, MayNotGovern
from ..models import Project
from ..queries import gates
from ..queries.gates import Access, AccessState, Gate
from ..services.admitting import MAX_MESSAGE_CHARACTERS, MAX_REASON_CHARACTERS, MAX_SAID_CHARACTERS


class GateSerializer(serializers.Serializer[Project]):
    """To whom the files of a project are given, of those who see it."""

    gate = serializers.ChoiceField(choices=Gate.choices)
    message = serializers.CharField(
        max_length=MAX_MESSAGE_CHARACTERS, allow_blank=True, default="", source="gate_message"
    )


class StandingSerializer(GateSerializer):
    """The gate, and how the caller stands to it."""

    has_access = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField()
    ask_at = serializers.SerializerMethodField()
    accept_at = serializers.SerializerMethodField()

    @property
    def _viewer(self) -> User | None:
        viewer: User | None = self.context["viewer"]
        return viewer

    def _access(self, of: Project) -> Access | None:
        return gates.of(of, self._viewer) if self._viewer else None

    def get_has_access(self, of: Project) -> bool:
        """Whether the caller may read the files now."""
        return gates.admits(of, self._viewer)

    @extend_schema_field(serializers.ChoiceField(choices=AccessState.choices, allow_null=True))
    def get_state(self, of: Project) -> str | None:
        """Of what the caller asked; null where they did not."""
        access = self._access(of)
        return access.state if access else None

    def get_reason(self, of: Project) -> str:
        """Why they were refused, if the owner said it."""
        access = self._access(of)
        return access.reason if access else ""

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_accept_at(self, of: Project) -> str | None:
        """The page of the rules that the caller has to accept; null if that is done."""
        rules = gates.rules_to_accept(of, self._viewer)
        return f"{settings.PUBLIC_URL}{rules.path}" if rules else None

    def get_ask_at(self, of: Project) -> str:
        """The page on which a person asks."""
        return gates.where_to_ask(of)


class AskSerializer(serializers.Serializer[Access]):
    """What a person says of themselves and of what they want."""

    said = serializers.CharField(max_length=MAX_SAID_CHARACTERS, allow_blank=True, default="")


class AccessSerializer(serializers.Serializer[Access]):
    """A request, and what was answered."""

    person = serializers.CharField(source="person.username")
    state = serializers.ChoiceField(choices=AccessState.choices)
    said = serializers.CharField()
    reason = serializers.CharField()
    asked_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)


class DecisionSerializer(serializers.Serializer[Access]):
    """An owner's answer; `granted` lets in who never asked, too."""

    person = serializers.CharField(max_length=80)
    state = serializers.ChoiceField(choices=AccessState.choices)
    reason = serializers.CharField(max_length=MAX_REASON_CHARACTERS, allow_blank=True, default="")


class AccessView(APIView):
    """GET says how the caller stands; POST asks; DELETE takes it back, or leaves."""

    permission_classes = (ScopeToWrite("publish"),)

    @extend_schema(operation_id="access_retrieve", responses=StandingSerializer)
    def get(self, request: Request, owner: str, project: str) -> Response:
        """Anybody may read what the owner wants of those who ask."""
        return _standing(request, _seen(request, owner, project))

    @extend_schema(
        operation_id="access_ask", request=AskSerializer, responses={200: StandingSerializer}
    )
    @idempotent
    def post(self, request: Request, owner: str, project: str) -> Response:
        """In the name of the person whose token it is; who asked before is answered the same."""
        wanted = AskSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        found = _seen(request, owner, project)
        services.ask(found, by=accounts.person(request), said=wanted.validated_data["said"])
        return _standing(request, found)

    @extend_schema(operation_id="access_give_up", request=None, responses={204: None})
    def delete(self, request: Request, owner: str, project: str) -> Response:
        """What was refused stays so."""
        services.give_up(_seen(request, owner, project), by=accounts.person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class GateView(APIView):
    """PUT decides who has the files, and what they read before they ask."""

    permission_classes = (HasScope("publish"),)

    @extend_schema(
        operation_id="gate_update", request=GateSerializer, responses={200: GateSerializer}
    )
    def put(self, request: Request, owner: str, project: str) -> Response:
        """For owners alone."""
        wanted = GateSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        found, person = _seen(request, owner, project), accounts.person(request)
        gate, message = Gate(wanted.validated_data["gate"]), wanted.validated_data["gate_message"]
        return Response(GateSerializer(services.set_gate(found, gate, message, by=person)).data)


STATE = OpenApiParameter("state", str, enum=AccessState.values, description="only those")


class AccessRequestsView(ListAPIView[Access]):
    """GET lists who asked, POST answers: for owners alone."""

    permission_classes = (HasScope("publish"),)
    serializer_class = AccessSerializer
    queryset = Access.objects.none()

    def get_queryset(self) -> QuerySet[Access]:
        found = _governed(self.request, self.kwargs["owner"], self.kwargs["project"])
        state = self.request.query_params.get("state", "")
        if state and state not in AccessState.values:
            expected = ", ".join(AccessState.values)
            raise InvalidRequest(f"state: expected {expected}, found {state[:40]!a}")
        rows = gates.all_of(found)
        return rows.filter(state=state) if state else rows

    @extend_schema(operation_id="access_requests_list", parameters=[STATE])
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="access_requests_answer",
        request=DecisionSerializer,
        responses={200: AccessSerializer},
    )
    @idempotent
    def post(self, request: Request, owner: str, project: str) -> Response:
        """One person's request; the owner may answer again, and otherwise, later."""
        wanted = DecisionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        found, by = _governed(request, owner, project), accounts.person(request)
        said = wanted.validated_data
        person, state = _named(said["person"]), AccessState(said["state"])
        if state == AccessState.GRANTED and gates.of(found, person) is None:
            made = services.grant(found, person, by=by)
        else:
            made = services.decide(found, person, state, by=by, reason=said["reason"])
        return Response(AccessSerializer(made).data)


def _standing(request: Request, of: Project) -> Response:
    viewer = reading.viewer(request, reading.CHECKPOINTS)
    return Response(StandingSerializer(of, context={"viewer": viewer}).data)


def _seen(request: Request, owner: str, name: str) -> Project:
    return queries.project(owner, name, reading.viewer(request, reading.CHECKPOINTS))


def _governed(request: Request, owner: str, name: str) -> Project:
    found = _seen(request, owner, name)
    if not accounts.may_govern(accounts.person(request), found.owner):
        raise MayNotGovern(f"expected {found.owner.name}, or an owner of it")
    return found


def _named(name: str) -> User:
    found = accounts.user(name)
    if found is None:
        raise AccessUnknown(f"expected the name of a person, found {name!a}")
    return found
