"""Serve `/api/v1/threads`, `/api/v1/messages` and `/api/v1/leads/{id}/thread`: conversations with leads."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core.enums import ProviderSlug
from accounts.web.rest.fields import (
    AgencyRelatedField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictSerializer,
    UTCDateTimeField,
    id_field,
)
from accounts.web.rest.filters import ConditionFilter, StrictChoiceFilter, StrictFilterSet, TextFilter
from accounts.web.rest.pagination import PAGING_PARAMETERS
from accounts.web.rest.views import BY_AGE, AgencyViewSet, validated
from leads.enums import MessageAuthor, MessageDirection, MessageState, SendingChannel
from leads.inbox.sending import reply, send_again, send_to
from leads.inbox.service import WAITING, mark_read, set_label
from leads.models import Message, Thread
from leads.models.inbox import MAX_LABEL_LENGTH
from leads.pipeline.dto import MAX_MESSAGE_LENGTH

UNREAD = Q(last_received_at__isnull=False) & (Q(read_at__isnull=True) | Q(read_at__lt=F("last_received_at")))


class ThreadSerializer(StrictSerializer):
    id = id_field()
    lead = AgencyRelatedField("leads", noun="lead", read_only=True)
    account = AgencyRelatedField("accounts", noun="account", read_only=True)
    provider = StrictChoiceField(ProviderSlug, read_only=True)
    last_message_at = UTCDateTimeField(read_only=True)
    waiting_since = UTCDateTimeField(
        read_only=True, allow_null=True, help_text="When the lead wrote the first message that no person has answered."
    )
    unread = StrictBooleanField(
        source="is_unread", read_only=True, help_text="Whether the lead wrote after a member or a program read it last."
    )
    label = StrictCharField(read_only=True)  # type: ignore[assignment]


class MessageSerializer(StrictSerializer):
    id = id_field()
    thread = AgencyRelatedField("threads", noun="thread", read_only=True)
    lead = AgencyRelatedField("leads", noun="lead", read_only=True)
    direction = StrictChoiceField(MessageDirection, read_only=True)
    author = StrictChoiceField(MessageAuthor, read_only=True)
    text = StrictCharField(read_only=True)
    is_preview = StrictBooleanField(read_only=True, help_text="Whether only the beginning of the text is known.")
    occurred_at = UTCDateTimeField(read_only=True)
    state = StrictChoiceField(
        MessageState,
        read_only=True,
        help_text="`held` waits for its account, `unknown` may have been sent: a person has to decide.",
    )
    error = StrictCharField(read_only=True, help_text="Why the message waits, or was not sent.")


class ReplySerializer(StrictSerializer):
    text = StrictCharField(max_length=MAX_MESSAGE_LENGTH, required=True)


class LeadMessageSerializer(StrictSerializer):
    channel = StrictChoiceField(SendingChannel, required=False, help_text="The only channel, and the default.")
    text = StrictCharField(max_length=MAX_MESSAGE_LENGTH, required=True)


class LabelSerializer(StrictSerializer):
    label = StrictCharField(  # type: ignore[assignment]
        max_length=MAX_LABEL_LENGTH, required=True, allow_null=True, allow_blank=True, help_text="Empty or null: none."
    )


class ThreadFilters(StrictFilterSet):
    lead = TextFilter("lead_id")
    account = TextFilter("account_id")
    provider = StrictChoiceFilter(ProviderSlug, field_name="provider")
    label = TextFilter("label")
    waiting = ConditionFilter(WAITING, label="Whether the lead waits for a person's answer.")
    unread = ConditionFilter(UNREAD, label="Whether nobody has read what the lead wrote last.")


class MessageFilters(StrictFilterSet):
    thread = TextFilter("thread_id")
    lead = TextFilter("lead_id")
    author = StrictChoiceFilter(MessageAuthor, field_name="author")


@extend_schema(tags=["threads"])
class ThreadViewSet(ListModelMixin, RetrieveModelMixin, AgencyViewSet):
    """Conversations with leads, one for each LinkedIn account that wrote with a lead."""

    serializer_class = ThreadSerializer
    filterset_class = ThreadFilters
    orderings: Mapping[str, str] = {"created_at": "pk", "last_message_at": "last_message_at"}

    def get_queryset(self) -> QuerySet[Thread]:
        return self.agency.threads.select_related("lead", "account")

    @extend_schema(request=None, responses={202: ThreadSerializer})
    @action(detail=True, methods=["post"])
    def read(self, request: Request, **_: Any) -> Response:
        """Say that the conversation was read."""
        self.refuse_body()
        return self.answer_with(mark_read(self.get_object()), status=202)

    @extend_schema(request=ReplySerializer, responses={202: MessageSerializer})
    @action(detail=True, methods=["post"])
    def reply(self, request: Request, **_: Any) -> Response:
        """Send a message in the conversation. 409 with `reasons` while its account is not ready."""
        thread = self.get_object()
        values = validated(ReplySerializer(data=request.data, context=self.get_serializer_context()))
        return sent_message(reply(thread, values["text"], must_be_ready=True), self.get_serializer_context())

    @extend_schema(request=LabelSerializer, responses={202: ThreadSerializer})
    @action(detail=True, methods=["post"])
    def label(self, request: Request, **_: Any) -> Response:
        """Give the conversation a label, or none."""
        thread = self.get_object()
        values = validated(LabelSerializer(data=request.data, context=self.get_serializer_context()))
        return self.answer_with(set_label(thread, values["label"] or ""), status=202)


@extend_schema(tags=["threads"])
class MessageViewSet(ListModelMixin, RetrieveModelMixin, AgencyViewSet):
    """The messages of all conversations."""

    serializer_class = MessageSerializer
    filterset_class = MessageFilters

    def get_queryset(self) -> QuerySet[Message]:
        return self.agency.messages.filter(thread__isnull=False).select_related("thread", "lead", "sending")

    @extend_schema(request=None, responses={202: MessageSerializer})
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, **_: Any) -> Response:
        """Send a message again that is `failed`, or `unknown`: the lead may get that one twice. 409 for all others."""
        self.refuse_body()
        return self.answer_with(send_again(self.get_object()), status=202)


class ThreadActions(AgencyViewSet):
    """What `leads/{id}` has of conversations."""

    @extend_schema(responses=MessageSerializer(many=True))
    @action(
        detail=True,
        serializer_class=MessageSerializer,
        parameters=PAGING_PARAMETERS,
        filterset_class=StrictFilterSet,
        orderings=BY_AGE,
    )
    def thread(self, request: Request, **_: Any) -> Response:
        """List the messages of all conversations with the lead."""
        messages: QuerySet[Message] = self.get_object().messages.filter(thread__isnull=False)
        return self.list_of(messages.select_related("thread", "lead", "sending"))

    @extend_schema(request=LeadMessageSerializer, responses={202: MessageSerializer})
    @action(detail=True, methods=["post"], serializer_class=LeadMessageSerializer)
    def send(self, request: Request, **_: Any) -> Response:
        """Send a message to the lead, in the newest conversation. 409 with `reasons` if its account may not."""
        values = self.validated_data()
        return sent_message(
            send_to(self.get_object(), values["text"], must_be_ready=True), self.get_serializer_context()
        )


def sent_message(message: Message, context: dict[str, Any]) -> Response:
    """Answer 202 with a message as it is in the database now."""
    row = Message.objects.select_related("thread", "lead", "sending").get(pk=message.pk)
    return Response(MessageSerializer(row, context=context).data, status=202)
