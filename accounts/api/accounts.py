"""Serve `/api/v1/accounts`."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.campaigns.senders import set_senders
from accounts.core.enums import AccountStatus, ProviderSlug, SuggestedAction
from accounts.linkedin.advice import SENTENCES
from accounts.linkedin.links import linked_accounts, worst_status
from accounts.linkedin.readiness import Action, readiness, with_campaigns_paused
from accounts.models import Account
from accounts.reauth.prompts import NotNeeded, ask
from accounts.services import update_account
from accounts.web.rest.fields import (
    AgencyRelatedField,
    EmailAddressField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictSerializer,
    UTCDateTimeField,
    id_field,
)
from accounts.web.rest.filters import SearchFilter, StrictChoiceFilter, StrictFilterSet, TextFilter
from accounts.web.rest.pagination import PAGING_PARAMETERS
from accounts.web.rest.problems import Conflict
from accounts.web.rest.views import AgencyViewSet, validated


class ProfileSerializer(StrictSerializer):
    first_name = StrictCharField(read_only=True)
    last_name = StrictCharField(read_only=True)
    public_identifier = StrictCharField(read_only=True)
    occupation = StrictCharField(read_only=True)
    premium = StrictBooleanField(read_only=True, allow_null=True)


class AccountSerializer(StrictSerializer):
    id = id_field()
    provider = StrictChoiceField(ProviderSlug, read_only=True)
    external_id = StrictCharField(read_only=True)
    name = StrictCharField(max_length=200)
    email = EmailAddressField(max_length=254)
    profile = ProfileSerializer(source="*", read_only=True)
    status = StrictChoiceField(AccountStatus, read_only=True)
    status_reason = StrictCharField(read_only=True)
    status_since = UTCDateTimeField(read_only=True)
    suggested_action = StrictChoiceField(
        SuggestedAction,
        read_only=True,
        help_text="\n".join(f"- `{word}`: {sentence}" for word, sentence in SENTENCES.items()),
    )
    rate_limited_until = UTCDateTimeField(read_only=True, allow_null=True)
    campaigns_paused = StrictBooleanField(read_only=True)
    source = StrictCharField(source="source_id", read_only=True)  # type: ignore[assignment]
    location_id = AgencyRelatedField("sub_accounts", noun="location", by="location_id", source="sub_account")
    linked_accounts = serializers.SerializerMethodField()
    worst_status = serializers.SerializerMethodField()
    created_at = UTCDateTimeField(read_only=True)
    updated_at = UTCDateTimeField(read_only=True)

    def get_linked_accounts(self, account: Account) -> list[str]:
        return [other.id for other in self._linked(account)]

    @extend_schema_field(StrictChoiceField(AccountStatus))
    def get_worst_status(self, account: Account) -> str:
        return worst_status(account, self._linked(account)).value

    def _linked(self, account: Account) -> list[Account]:
        linked: dict[str, list[Account]] = self.context["linked"]
        return linked[account.id]


class AccountReportSerializer(StrictSerializer):
    from_status = StrictChoiceField(AccountStatus, read_only=True, allow_null=True)
    to_status = StrictChoiceField(AccountStatus, read_only=True)
    occurred_at = UTCDateTimeField(read_only=True)
    reported_by = StrictCharField(read_only=True)
    receipt_id = StrictCharField(read_only=True)
    applied = StrictBooleanField(read_only=True)


class ReasonSerializer(StrictSerializer):
    code = serializers.CharField(help_text="`status_<status>`, `rate_limited`, `campaigns_paused` or `stale`.")
    message = serializers.CharField()


class ReadinessSerializer(StrictSerializer):
    ready = serializers.BooleanField()
    reasons = ReasonSerializer(many=True)
    retry_at = UTCDateTimeField(allow_null=True)
    evidence_age_seconds = serializers.IntegerField()


class SendersSerializer(StrictSerializer):
    sender_ids = serializers.ListField(
        child=StrictCharField(max_length=200, required=True),
        max_length=100,
        help_text="As whom SendPilot knows the account: campaigns of these senders run on it.",
    )


class ReauthSerializer(StrictSerializer):
    email = EmailAddressField(max_length=254, help_text="Where to mail the link; without it nobody is mailed.")


class ReauthLinkSerializer(StrictSerializer):
    url = serializers.CharField(help_text="Opens the page, without sign-in: give it to the account's owner only.")
    expires_at = UTCDateTimeField()


NEEDED_FOR_READINESS = ("status", "status_since", "rate_limited_until", "reported_at", "source__last_receipt_at")


class AccountFilters(StrictFilterSet):
    status = StrictChoiceFilter(AccountStatus)
    provider = StrictChoiceFilter(ProviderSlug)
    location_id = TextFilter("sub_account__location_id")
    q = SearchFilter()


@extend_schema(tags=["accounts"])
class AccountViewSet(ListModelMixin, RetrieveModelMixin, AgencyViewSet):
    """LinkedIn accounts, one for each id of a provider."""

    serializer_class = AccountSerializer
    filterset_class = AccountFilters

    def get_queryset(self) -> QuerySet[Account]:
        accounts = self.agency.accounts
        if self.action == "readiness":
            return accounts.select_related("source").only(*NEEDED_FOR_READINESS)
        return with_campaigns_paused(accounts.select_related("sub_account"))

    def get_serializer(self, *args: Any, **options: Any) -> Any:
        rows = args[0] if args and self.serializer_class is AccountSerializer else None
        accounts = (rows if options.get("many") else [rows]) if rows else []
        options["context"] = self.get_serializer_context() | {"linked": linked_accounts(accounts)}
        return super().get_serializer(*args, **options)

    def partial_update(self, request: Request, **_: Any) -> Response:
        account = self.get_object()
        changes = self.validated_data(instance=account, partial=True)
        return self.answer_with(update_account(account, **changes))

    @extend_schema(responses=AccountReportSerializer(many=True))
    @action(
        detail=True,
        serializer_class=AccountReportSerializer,
        parameters=PAGING_PARAMETERS,
        filterset_class=StrictFilterSet,
    )
    def history(self, request: Request, **_: Any) -> Response:
        """List every report about the account, also those that changed nothing."""
        return self.list_of(self.get_object().reports.all())

    @extend_schema(responses=SendersSerializer)
    @action(detail=True, serializer_class=SendersSerializer)
    def senders(self, request: Request, **_: Any) -> Response:
        """Show the ids by which SendPilot knows the account as a sender."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=SendersSerializer, responses={202: SendersSerializer})
    @senders.mapping.post
    def map_senders(self, request: Request, **_: Any) -> Response:
        """Replace the ids by which SendPilot knows the account. Campaigns without an account get the account of their
        sender."""
        account = self.get_object()
        set_senders(account, validated(SendersSerializer(data=request.data))["sender_ids"])
        return Response(SendersSerializer(self.get_object()).data, status=202)

    @extend_schema(request=ReauthSerializer, responses=ReauthLinkSerializer)
    @action(detail=True, methods=["post"])
    def reauth(self, request: Request, **_: Any) -> Response:
        """Make a link with which the account's owner reconnects it. If one is open, extend and return that one. Answers
        409 for an active or deleted account."""
        email = validated(ReauthSerializer(data=request.data)).get("email", "")
        try:
            prompt = ask(self.get_object(), by="api", email=email)
        except NotNeeded as refusal:
            raise Conflict(str(refusal)) from None
        return Response(ReauthLinkSerializer(prompt).data)

    @extend_schema(
        responses=ReadinessSerializer,
        parameters=[OpenApiParameter("action", str, enum=[str(word) for word in Action], description="To do what.")],
    )
    @action(detail=True, serializer_class=ReadinessSerializer, parameters=("action",))
    def readiness(self, request: Request, **_: Any) -> Response:
        """Say whether the account may be used now. It is `stale` after 7 days without a report from its provider."""
        word = request.query_params.get("action")
        if word is not None and word not in list(Action):
            raise ValidationError({"action": f"Choose one of {', '.join(Action)}."})
        found = readiness(self.get_object(), Action(word) if word else None)
        return Response(self.get_serializer({"ready": found.ready, **asdict(found)}).data)
