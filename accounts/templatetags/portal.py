"""Define `{% load portal %}`: labels of states, forms and pages for the portal."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms, template
from django.contrib.messages import ERROR
from django.contrib.messages.storage.base import Message
from django.forms import BoundField
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.core import markup
from accounts.core.email_addresses import display_email
from accounts.core.enums import CampaignStatus, provider_name
from accounts.core.sentences import in_readers_language, own_words
from accounts.labels import CAMPAIGN_STATUSES, account_label, pause_reason, readiness_text, status_label, what_to_do
from accounts.models import Account
from accounts.tenancy.localtime import format_local_time
from accounts.web.portal.forms import ROLE_NAMES

register = template.Library()
register.filter("visible", lambda text: markup.visible(str(text)))
register.filter("pretty_json", markup.pretty_json)
register.filter("pretty_body", markup.pretty_body)
register.filter("what_to_do", what_to_do)
register.filter("provider_name", provider_name)
register.filter("readable_email", display_email)
register.filter("readiness_text", readiness_text)
register.filter("reason_of_pause", pause_reason)
register.filter("own_words", own_words)
register.filter("stored_sentence", in_readers_language)
register.simple_tag(markup.badge, name="badge")


@register.filter
def ago(when: datetime | None) -> SafeString | str:
    """Return a time such as `3 minutes ago`, with the exact time in the agency's zone on hover."""
    if when is None:
        return markup.NOTHING
    exact = timezone.localtime(when)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.isoformat(timespec="seconds"),
        format_local_time(when),
        markup.relative(timezone.now() - when),
    )


@register.filter
def role_name(role: str) -> str:
    return str(dict(ROLE_NAMES)[role])


@register.filter
def account_badge(account: Account) -> SafeString:
    return account_label(account).badge()


@register.filter
def status_badge(status: str) -> SafeString:
    return status_label(status).badge()


@register.filter
def campaign_badge(status: str) -> SafeString:
    return CAMPAIGN_STATUSES[CampaignStatus(status)].badge()


@register.filter
def has_errors(messages: Iterable[Message] | str) -> bool:
    """Return whether a message of the page is about an error. Its title then says so."""
    return any(isinstance(message, Message) and message.level >= ERROR for message in messages)


@register.inclusion_tag("portal/parts/field.html")
def field(bound: BoundField, **attributes: str) -> dict[str, Any]:
    """Render a form field: its label, input, errors and help. The first wrong field of a form gets the focus."""
    is_check = getattr(bound.field.widget, "input_type", "") == "checkbox"
    look = "form-check-input" if is_check else "form-select" if _is_select(bound) else "form-control"
    attrs: dict[str, Any] = {"class": look, **attributes}
    if _is_first_wrong(bound):
        attrs["autofocus"] = True
    return {"field": bound, "input": bound.as_widget(attrs=attrs), "is_check": is_check}


@register.inclusion_tag("portal/parts/choices.html")
def choices(bound: BoundField, *, in_columns: bool = False) -> dict[str, Any]:
    """Render checkboxes or radio buttons under one legend."""
    return {"field": bound, "in_columns": in_columns, "is_first_wrong": _is_first_wrong(bound)}


@register.filter
def look_like_check(choice: Any) -> SafeString:
    """Render a box or a button of a group of choices. Its label stands around it, so it needs no id."""
    choice.data["attrs"]["class"] = "form-check-input"
    choice.data["attrs"].pop("id", None)
    return choice.tag()  # type: ignore[no-any-return]


@register.inclusion_tag("portal/parts/press.html", takes_context=True)
def press(
    context: Context,
    url: str,
    label: str,
    *,
    look: str = "btn-sm",
    opens: str = "",
    ask: str = "",
    name: str = "",
    value: str = "",
    htmx: bool = False,
    inline: bool = False,
    right: bool = False,
) -> dict[str, Any]:
    """Render a form that is one button. With `opens` the button stands behind another of that name, beside the text
    `ask`.

    `look` is the button's classes; `name` and `value` are what it sends. With `htmx` it sends without loading a page.
    """
    given = {"url": url, "label": label, "look": look, "opens": opens, "ask": ask, "name": name, "value": value}
    return {**given, "htmx": htmx, "inline": inline, "right": right, "csrf_token": context.get("csrf_token", "")}


@register.inclusion_tag("portal/parts/pages.html")
def pages(page: Any) -> dict[str, Any]:
    return {"page": page}


def _is_select(bound: BoundField) -> bool:
    return isinstance(bound.field.widget, forms.Select) and not isinstance(bound.field.widget, forms.RadioSelect)


def _is_first_wrong(bound: BoundField) -> bool:
    return next((name for name in bound.form.fields if name in bound.form.errors), None) == bound.name
