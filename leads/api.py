"""`/api/v1/leads`."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import BooleanField, F, Func, Prefetch, Q, QuerySet, Value
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core.enums import AccountStatus, ProviderSlug
from accounts.models import Agency, Member
from accounts.web.rest.fields import (
    Email,
    Reference,
    StrictBooleanField,
    StrictChoiceField,
    StrictSerializer,
    Text,
    UTCDateTimeField,
    identity,
)
from accounts.web.rest.filters import Exactly, Filter, OneOf, Search, Time, YesNo
from accounts.web.rest.problems import Conflict
from accounts.web.rest.views import AgencyView, Listed, Shown
from leads.enums import LOCALE, ChangedBy, LeadStatus
from leads.models import Lead, LeadChange, LeadReference
from leads.pipeline.changes import create_lead, set_status, update_lead
from leads.pipeline.merge import records_of, shown_id
from leads.pipeline.search import has_profile

REACHABLE_BY = ("linkedin_url", "email", "phone")
_WEB_ADDRESS = re.compile(r"(https?://)?[^\s:/?#@\\.]+(\.[^\s:/?#@\\.]+)+(:[0-9]+)?([/?#][^\s\\]*)?", re.IGNORECASE)


def web_address(value: str) -> None:
    """Raises ValidationError unless `value` could be the address of a page, with or without its scheme."""
    if not _WEB_ADDRESS.fullmatch(value):
        raise serializers.ValidationError("Give the address of a LinkedIn page.")


class Assignee(Reference):
    """A member of the agency; the lead's row names their user."""

    def get_attribute(self, instance: Lead) -> str | None:
        members: list[Member] = instance.assigned_to.members_here if instance.assigned_to else []  # type: ignore[attr-defined]
        return members[0].id if members else None

    def to_internal_value(self, data: Any) -> Any:
        member = super().to_internal_value(data)
        assert isinstance(member, Member)  # noqa: S101 (what the relation holds)
        return member.user


class LeadReferenceSerializer(StrictSerializer):
    provider = StrictChoiceField(ProviderSlug, read_only=True)
    source = Text(source="source_id", read_only=True)  # type: ignore[assignment]
    external_id = Text(read_only=True, allow_null=False)
    campaign = Text(source="campaign_id", read_only=True)
    status = StrictChoiceField(LeadStatus, read_only=True)
    status_since = UTCDateTimeField(read_only=True)


class AnswerSerializer(StrictSerializer):
    question_id = Text(read_only=True)
    predefined_field = Text(read_only=True)
    label = Text(read_only=True)  # type: ignore[assignment]
    value = serializers.JSONField(read_only=True)


class LeadSerializer(StrictSerializer):
    id = identity()
    name = Text(max_length=400)
    first_name = Text(max_length=200)
    last_name = Text(max_length=200)
    email = Email(max_length=254)
    phone = Text(max_length=50)
    phone_e164 = Text(read_only=True)
    title = Text(max_length=300)
    company = Text(max_length=300)
    company_size = Text(read_only=True)
    industry = Text(read_only=True)
    country = Text(read_only=True)
    state = Text(read_only=True)
    postal_code = Text(read_only=True)
    linkedin_url = Text(max_length=500, validators=[web_address])
    location = Text(max_length=300)
    references = LeadReferenceSerializer(many=True, read_only=True)
    answers = AnswerSerializer(many=True, read_only=True)
    consents = serializers.ListField(child=serializers.JSONField(), read_only=True)
    hidden_fields = serializers.ListField(child=serializers.JSONField(), read_only=True)
    details_pending = StrictBooleanField(read_only=True)
    source = Text(source="source_id", read_only=True)  # type: ignore[assignment]
    lead_type = Text(read_only=True)
    form = Text(read_only=True)
    owner = Text(read_only=True)
    associated_entity = Text(read_only=True)
    campaign = Reference("campaigns", noun="campaign")
    account = Reference("accounts", noun="account")
    status = StrictChoiceField(LeadStatus, required=False)
    status_label = Text(read_only=True, allow_null=False)
    status_since = UTCDateTimeField(read_only=True)
    score = serializers.IntegerField(read_only=True, allow_null=True)
    priority = Text(max_length=16)
    assigned_to = Assignee("members", noun="member")
    tags = serializers.ListField(child=Text(max_length=100, required=True), max_length=100, required=False)
    is_test = StrictBooleanField(read_only=True)
    received_at = UTCDateTimeField(read_only=True)
    first_response_at = UTCDateTimeField(read_only=True, allow_null=True)
    created_at = UTCDateTimeField(read_only=True)
    updated_at = UTCDateTimeField(read_only=True)

    def validate_tags(self, tags: list[str]) -> list[str]:
        return list(dict.fromkeys(tags))

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if not any(values.get(name) for name in REACHABLE_BY):
            raise ValidationError(f"A lead needs one of {', '.join(REACHABLE_BY)}.")
        return values


class ShownLeadSerializer(LeadSerializer):
    merged_from = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Ids of the leads that were merged into this one, which go on answering; absent if there are none.",
    )


class ChangedLeadSerializer(LeadSerializer):
    note = serializers.CharField(
        write_only=True, required=False, max_length=500, help_text="For the history; comes with `status`."
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if "note" in values and "status" not in values:
            raise ValidationError({"note": "A note says why the status changes: send `status` with it."})
        return values


class LeadChangeSerializer(StrictSerializer):
    previous_status = StrictChoiceField(LeadStatus, read_only=True, allow_null=True)
    new_status = StrictChoiceField(LeadStatus, read_only=True)
    changed_by = StrictChoiceField(ChangedBy, read_only=True)
    occurred_at = UTCDateTimeField(read_only=True)
    receipt_id = Text(read_only=True)
    applied = StrictBooleanField(read_only=True)
    note = Text(read_only=True)


@contextmanager
def one_per_person() -> Iterator[None]:
    """Turn the refusal of a second lead for one LinkedIn URL into a 409."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise Conflict("Another lead has this LinkedIn URL.") from None


class _HasTag(Func):
    """Whether the list of tags holds a tag, in either database's words."""

    output_field = BooleanField()
    template = "jsonb_exists(%(expressions)s)"  # the function behind `?`, which would read as a parameter

    def as_sqlite(self, compiler: Any, connection: Any, **options: Any) -> Any:
        (column, tag) = (compiler.compile(expression) for expression in self.source_expressions)
        sql = f"EXISTS (SELECT 1 FROM json_each({column[0]}) WHERE json_each.value = {tag[0]})"  # noqa: S608
        return sql, (*column[1], *tag[1])


class HasTag(Filter):
    description = "A tag, exactly."

    def q(self, value: str) -> Q:
        return Q(_HasTag("tags", Value(value)))


@dataclass(frozen=True)
class HasReference(Filter):
    """Some provider's reference to the lead has the value."""

    column: str
    description: str = ""

    def q(self, value: str) -> Q:
        return Q(pk__in=LeadReference.objects.filter(**{self.column: value}).values("lead_id"))


class FormLanguage(Filter):
    description = "The language of the form that the lead was left in, such as `en_US`."

    def q(self, value: str) -> Q:
        if not LOCALE.fullmatch(value):
            raise ValueError("Give a language and a country such as en_US.")
        return Q(creation_locale=value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{LOCALE.pattern}$"}


class AssignedTo(Filter):
    description = "A member's id."

    def q(self, value: str) -> Q:
        # One user may be a member of several agencies.
        return Q(assigned_to__memberships__id=value, assigned_to__memberships__agency=F("agency"))


@extend_schema(tags=["leads"])
class LeadView(Listed, Shown, AgencyView):
    """People in outreach; one person is one lead."""

    model = Lead
    serializer_class = LeadSerializer
    orderings: Mapping[str, str] = {"created_at": "pk", "updated_at": "updated_at"}
    filters: Mapping[str, Filter] = {
        "status": OneOf("status", LeadStatus),
        "campaign": Exactly("campaign_id"),
        "account": Exactly("account_id"),
        "account_active": YesNo(Q(account__status=AccountStatus.ACTIVE), "Whether the lead's account is active."),
        "source": Exactly("source_id"),
        "lead_type": Exactly("lead_type"),
        "form": Exactly("form"),
        "creation_locale": FormLanguage(),
        "is_test": YesNo(Q(is_test=True)),
        "tag": HasTag(),
        "external_id": HasReference("external_id", "A provider's id of the lead."),
        "assigned_to": AssignedTo(),
        "priority": Exactly("priority"),
        "received_after": Time("received_at", "gt"),
        "received_before": Time("received_at", "lt"),
        "updated_after": Time("updated_at", "gt"),
        "q": Search(has_profile),
    }

    def rows(self, agency: Agency) -> QuerySet[Lead]:
        members = Member.objects.filter(agency=agency)
        references = LeadReference.objects.order_by("-id")
        return agency.leads.select_related("assigned_to").prefetch_related(
            Prefetch("references", references),
            Prefetch("assigned_to__memberships", members, to_attr="members_here"),
        )

    def find(self, public_id: str) -> Lead | None:
        """The lead of this id, or of the id of a record that was merged into it."""
        found: Lead | None = super().find(public_id) or super().find(shown_id(public_id, self.agency))
        return found

    def get_serializer_class(self) -> Any:
        special = {"partial_update": ChangedLeadSerializer, "retrieve": ShownLeadSerializer}
        return special.get(self.action) or super().get_serializer_class()

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        lead = self.get_object()
        if merged := [record.pk for record in records_of(lead)]:
            lead.merged_from = merged
        return Response(self.get_serializer(lead).data)

    @extend_schema(responses={201: LeadSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Make a lead. 409 if the person (by LinkedIn URL) is one already."""
        values = self.read_body()
        with one_per_person():
            return self.show(create_lead(self.agency, **values), status=201)

    @extend_schema(responses=LeadSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a lead; with `status` and perhaps `note` this is the Update Lead Status API."""
        lead = self.get_object()
        changes = self.read_body(instance=lead, partial=True)
        status, note = changes.pop("status", None), changes.pop("note", "")
        with one_per_person():
            lead = update_lead(lead, **changes) if changes else lead
        if status:
            lead = set_status(lead, status=status, changed_by=ChangedBy.API, note=note)
        return self.show(lead)

    @extend_schema(responses=LeadChangeSerializer(many=True))
    @action(detail=True, serializer_class=LeadChangeSerializer, filters={}, lists=True)
    def history(self, request: Request, **_: Any) -> Response:
        """Every report about the lead, also those that changed nothing."""
        changes: QuerySet[LeadChange] = self.get_object().changes.all()
        return self.page_of(changes)
