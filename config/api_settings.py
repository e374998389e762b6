"""Set up Django REST Framework and the description of the REST API. No deployment changes these settings."""

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {  # defaults; `accounts.web.rest.views.AgencyViewSet` sets the rest
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "accounts.web.rest.schema.OperationSchema",
    "EXCEPTION_HANDLER": "accounts.web.rest.problems.answer_problem",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Leadline",
    "DESCRIPTION": (
        "What LinkedIn-automation providers report, as accounts, leads and events; and where agencies are told.\n\n"
        "Every list is newest first and read by following `next`. A value that is not there is null. Times are UTC, "
        "ISO 8601 with three fractional digits. Unknown parameters and fields are refused by name. Every `POST` takes "
        "an `Idempotency-Key`; errors are RFC 9457 problem documents.\n\n"
        "A webhook channel gets every event as it happens: the flat JSON that `event-types` describes, signed with the "
        "channel's secret as Standard Webhooks says (`webhook-id`, `webhook-timestamp`, `webhook-signature`). Answer "
        "with any 2xx within 15 seconds; else it is tried ten times within some three days. An event may come twice, "
        "always under the same `webhook-id`, and after a later one: its `timestamp` says when it happened."
    ),
    "VERSION": "v1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": False,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "AccountStatus": "accounts.core.enums.AccountStatus",
        "CampaignStatus": "accounts.core.enums.CampaignStatus",
        "ChannelSwitch": ["enabled", "disabled"],
        "ChannelStatus": "notifications.models.ChannelStatus",
        "ClockKind": "leads.enums.ClockKind",
        "TaskKind": "leads.enums.TaskKind",
        "StepKind": "leads.enums.StepKind",
        "SequenceTrigger": "leads.enums.TriggerKind",
        "EmailKind": ["email"],
        "SlackKind": ["slack"],
        "WebhookKind": ["webhook"],
        "DeliveryStatus": "notifications.models.DeliveryStatus",
        "EventName": "accounts.core.enums.AGENCY_EVENTS",
        "LeadStatus": "leads.enums.LeadStatus",
        "OrderAction": "accounts.models.command.CommandAction",
        "OrderStatus": "accounts.models.command.CommandStatus",
        "ReceiptStatus": "webhooks.models.ReceiptStatus",
        "RequestAction": "accounts.core.enums.RequestAction",
        "SourceHealth": ["disabled", "waiting", "healthy", "attention"],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "accounts.web.rest.schema.describe_errors",
    ],
}
