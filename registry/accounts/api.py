# SPDX-License-Identifier: Apache-2.0
"""One's own tokens: list, issue, revoke. Only a person in a browser issues one, never a token."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.api.problems import NotFound
from registry.storage.quotas import Use, use_of

from . import queries, services
from .models import Scope, Token, User
from .permissions import InBrowser
from .queries import SESSION_SCOPES
from .tokens import DEFAULT_DAYS, MAX_DAYS, MAX_LABEL_CHARACTERS, MAX_PROJECTS


class TokenSerializer(serializers.ModelSerializer[Token]):
    """A token as its owner sees it afterwards: without the secret."""

    class Meta:
        model = Token
        fields: tuple[str, ...] = (
            "id",
            "label",
            "scopes",
            "projects",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
        )


class TokenRequestSerializer(serializers.Serializer[Token]):
    """What is asked for."""

    # REST framework takes declared fields off the class, so this hides no attribute.
    label = serializers.CharField(max_length=MAX_LABEL_CHARACTERS)  # type: ignore[assignment]
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=Scope.choices), min_length=1, max_length=len(Scope)
    )
    projects = serializers.ListField(
        child=serializers.CharField(max_length=160),
        max_length=MAX_PROJECTS,
        default=list,
        help_text="OWNER/NAME: it signs outputs of these projects' checkpoints, and nothing else",
    )
    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, default=DEFAULT_DAYS)


class IssuedTokenSerializer(TokenSerializer):
    """The one answer that has the secret."""

    secret = serializers.CharField(read_only=True)

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "secret")


class UseSerializer(serializers.Serializer[Use]):
    """What is stored in a name, and may be."""

    name = serializers.CharField()
    used_bytes = serializers.IntegerField()
    allowed_bytes = serializers.IntegerField()


class AccountSerializer(serializers.ModelSerializer[User]):
    """One's own account: whether the ledger's search finds it is its own choice."""

    name = serializers.CharField(source="username", read_only=True)
    storage = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ("name", "is_findable", "storage")

    @extend_schema_field(UseSerializer(many=True))
    def get_storage(self, person: User) -> list[dict[str, object]]:
        """In the person's own name and in their organisations'."""
        return [{"name": name, **asdict(use)} for name, use in queries.uses(person).items()]


class WhoAmISerializer(serializers.Serializer[object]):
    """In whose name a token or a session acts, what it may, and what is stored in that name."""

    actor = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    project = serializers.CharField()
    projects = serializers.ListField(child=serializers.CharField())
    token = serializers.IntegerField(allow_null=True, help_text="its id; null for a session")
    expires_at = serializers.DateTimeField(allow_null=True)
    storage = UseSerializer(many=True)


class WhoAmIView(APIView):
    """GET says to a program what its token is."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="whoami", responses={200: WhoAmISerializer})
    def get(self, request: Request) -> Response:
        """A project's token is told of nobody but itself."""
        token, actor = request.auth, queries.actor(request)
        person = queries.caller(request)
        found = token if isinstance(token, Token) else None
        is_bound = found is not None and bool(found.project)
        uses = {actor: use_of(actor)} if is_bound else queries.uses(person)
        answer = {
            "actor": actor,
            "scopes": found.scopes if found else sorted(SESSION_SCOPES),
            "project": found.project if found else "",
            "projects": found.projects if found else [],
            "token": found.pk if found else None,
            "expires_at": found.expires_at if found else None,
            "storage": [{"name": name, **asdict(use)} for name, use in uses.items()],
        }
        return Response(WhoAmISerializer(answer).data)


class AccountView(APIView):
    """GET shows one's own account, PATCH changes what one consents to."""

    permission_classes = (InBrowser,)

    @extend_schema(operation_id="account_retrieve", responses={200: AccountSerializer})
    def get(self, request: Request) -> Response:
        """The account of whoever asks."""
        return Response(AccountSerializer(queries.caller(request)).data)

    @extend_schema(
        operation_id="account_update", request=AccountSerializer, responses={200: AccountSerializer}
    )
    def patch(self, request: Request) -> Response:
        """`is_findable`: whether the ledger's search finds what this person signed."""
        person = queries.caller(request)
        wanted = AccountSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        if "is_findable" in request.data:
            services.set_findable(person, is_findable=wanted.validated_data["is_findable"])
        return Response(AccountSerializer(person).data)


class TokensView(ListAPIView[Token]):
    """GET lists, POST issues."""

    permission_classes = (InBrowser,)
    serializer_class = TokenSerializer
    queryset = Token.objects.none()

    def get_queryset(self) -> QuerySet[Token]:
        return queries.tokens_of(queries.caller(self.request))

    @extend_schema(request=TokenRequestSerializer, responses={201: IssuedTokenSerializer})
    def post(self, request: Request) -> Response:
        """The secret is in this answer and nowhere else."""
        wanted = TokenRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        person, values = queries.caller(request), wanted.validated_data
        token, secret = services.issue_own_token(
            person,
            values["label"],
            values["scopes"],
            timezone.now() + timedelta(days=values["days"]),
            projects=values["projects"],
        )
        body = {**TokenSerializer(token).data, "secret": secret}
        return Response(body, status=status.HTTP_201_CREATED)


class TokenView(APIView):
    """DELETE revokes."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, token_id: int) -> Response:
        """A person revokes any of theirs; a token only itself (whoever finds one can end it)."""
        token = queries.tokens_of(queries.caller(request)).filter(pk=token_id).first()
        if token is None or (isinstance(request.auth, Token) and request.auth != token):
            raise NotFound("expected one of your own tokens")
        services.revoke_token(token, by=queries.actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
