# SPDX-License-Identifier: Apache-2.0
"""The people of an organisation over HTTP: read by a token, changed in a browser by its owners.

Whoever finds a token must not be able to stay.
"""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.api.problems import NotFound

from . import queries, services
from .models import Membership, Organisation, Role
from .names import MAX_LENGTH
from .permissions import HasScope, InBrowser


class MemberSerializer(serializers.Serializer[Membership]):
    """A person of an organisation."""

    person = serializers.CharField(source="user.username")
    role = serializers.ChoiceField(choices=Role.choices)
    since = serializers.DateTimeField(source="created_at")


class RoleSerializer(serializers.Serializer[Membership]):
    """What they may do."""

    role = serializers.ChoiceField(choices=Role.choices)


class NewOrganisationSerializer(serializers.Serializer[Organisation]):
    """A name that was never given."""

    name = serializers.CharField(max_length=MAX_LENGTH)


class OrganisationSerializer(serializers.Serializer[Membership]):
    """An organisation, and what the caller is in it."""

    name = serializers.CharField(source="organisation.namespace.name")
    role = serializers.ChoiceField(choices=Role.choices)
    since = serializers.DateTimeField(source="created_at")


class OrganisationsView(APIView):
    """GET lists those that one is in, POST founds one."""

    permission_classes = (InBrowser,)

    @extend_schema(operation_id="organisations_list", responses=OrganisationSerializer(many=True))
    def get(self, request: Request) -> Response:
        """By name."""
        found = queries.memberships_of(queries.caller(request))
        return Response([OrganisationSerializer(each).data for each in found])

    @extend_schema(
        operation_id="organisations_create",
        request=NewOrganisationSerializer,
        responses={201: OrganisationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Whoever founds it is its first owner; it publishes once it accepted the conduct."""
        asked, by = NewOrganisationSerializer(data=request.data), queries.caller(request)
        asked.is_valid(raise_exception=True)
        made = services.create_organisation(asked.validated_data["name"], by)
        membership = queries.memberships_of(by).get(organisation=made)
        said = OrganisationSerializer(membership).data
        return Response(said, status=status.HTTP_201_CREATED)


class MembersView(ListAPIView[Membership]):
    """GET lists them, to those who are among them."""

    permission_classes = (HasScope("read"),)
    serializer_class = MemberSerializer
    queryset = Membership.objects.none()

    def get_queryset(self) -> QuerySet[Membership]:
        return queries.members_of(_mine(self.request, self.kwargs["name"]))


class MemberView(APIView):
    """PUT admits a person or changes their role; DELETE ends their membership, or one's own."""

    permission_classes: tuple[type[BasePermission], ...] = (InBrowser,)

    @extend_schema(
        operation_id="members_put", request=RoleSerializer, responses={200: MemberSerializer}
    )
    def put(self, request: Request, name: str, person: str) -> Response:
        """For owners; the last of them stays one."""
        wanted = RoleSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        organisation, by = _mine(request, name), queries.caller(request)
        found, role = queries.person_named(person), Role(wanted.validated_data["role"])
        return Response(
            MemberSerializer(services.add_member(organisation, found, role, by=by)).data
        )

    @extend_schema(operation_id="members_delete", responses={204: None})
    def delete(self, request: Request, name: str, person: str) -> Response:
        """An owner ends any, anybody their own; the last owner stays."""
        organisation, by = _mine(request, name), queries.caller(request)
        gone = queries.member_named(organisation, person)
        services.remove_member(organisation, gone, by=by)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _mine(request: Request, name: str) -> Organisation:
    """Who is in what is for those who are in it to know."""
    organisation, by = queries.organisation(name), queries.caller(request)
    if organisation is None or queries.role_in(organisation, by) is None:
        raise NotFound("expected an organisation that you are in")
    return organisation
