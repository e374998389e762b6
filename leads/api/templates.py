"""Serve `/api/v1/templates`: texts with fields that a lead's values fill."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core.text import MAX_NAME_LENGTH
from accounts.web.rest.fields import StrictCharField, StrictChoiceField, StrictSerializer, UTCDateTimeField, id_field
from accounts.web.rest.filters import StrictChoiceFilter, StrictFilterSet
from accounts.web.rest.views import AgencyViewSet, validated
from leads.api.activities import LeadField
from leads.enums import TemplateChannel
from leads.models import MessageTemplate
from leads.models.templates import MAX_SUBJECT_LENGTH, MAX_TEXT_LENGTH
from leads.sequences import templates
from leads.sequences.template_fields import FIELDS


class TemplateSerializer(StrictSerializer):
    id = id_field()
    name = StrictCharField(max_length=MAX_NAME_LENGTH, required=True)
    channel = StrictChoiceField(TemplateChannel, required=True)
    subject = StrictCharField(max_length=MAX_SUBJECT_LENGTH, help_text="Of e-mails, and required for them.")
    text = StrictCharField(
        max_length=MAX_TEXT_LENGTH,
        required=True,
        help_text='With `{{ field }}` or `{{ field|default:"…" }}`. Fields: ' + ", ".join(FIELDS) + ".",
    )
    fields = serializers.SerializerMethodField(  # type: ignore[assignment]
        method_name="fields_named", help_text="The fields that subject and text name."
    )
    created_at = UTCDateTimeField(read_only=True)
    updated_at = UTCDateTimeField(read_only=True)

    def fields_named(self, template: MessageTemplate) -> list[str]:
        return templates.fields_of(template)


class TemplatePreviewSerializer(StrictSerializer):
    lead = LeadField("leads", noun="lead")


class FilledTemplateSerializer(StrictSerializer):
    subject = StrictCharField(source="subject_text", read_only=True)
    text = StrictCharField(source="body_text", read_only=True)
    missing = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Fields with neither a value nor a default. Nothing is sent automatically as long as there are any.",
    )


class TemplateFilters(StrictFilterSet):
    channel = StrictChoiceFilter(TemplateChannel, field_name="channel")


@extend_schema(tags=["sequences"])
class TemplateViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, AgencyViewSet):
    """Texts that are written to many leads."""

    serializer_class = TemplateSerializer
    filterset_class = TemplateFilters

    def get_queryset(self) -> QuerySet[MessageTemplate]:
        return self.agency.message_templates.all()

    @extend_schema(request=TemplateSerializer, responses={201: TemplateSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Make a template. A field that there is not is refused by its name."""
        made = templates.create_template(self.agency, by=self.key, **self.validated_data())
        return self.answer_with(made, status=201)

    @extend_schema(request=TemplateSerializer, responses=TemplateSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change a template. What is sent from now on has the new text."""
        template = self.get_object()
        changes = self.validated_data(instance=template, partial=True)
        return self.answer_with(templates.update_template(template, by=self.key, **changes))

    def perform_destroy(self, template: MessageTemplate) -> None:
        templates.delete_template(template, by=self.key)

    @extend_schema(request=TemplatePreviewSerializer, responses={202: FilledTemplateSerializer})
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, **_: Any) -> Response:
        """Fill the template with a lead's values. Nothing is sent."""
        template = self.get_object()
        values = validated(TemplatePreviewSerializer(data=request.data, context=self.get_serializer_context()))
        if values.get("lead") is None:
            raise ValidationError({"lead": "This field is required."})
        return Response(FilledTemplateSerializer(templates.fill_for(template, values["lead"])).data, status=202)
