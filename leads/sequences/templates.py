"""Create, change and delete templates, and fill them for a lead."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from accounts.core.errors import FieldError
from accounts.core.text import MAX_NAME_LENGTH, plain
from accounts.models import Agency
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor
from leads.enums import TemplateChannel
from leads.models import Lead, MessageTemplate
from leads.models.templates import MAX_SUBJECT_LENGTH, MAX_TEXT_LENGTH
from leads.sequences.placeholders import Part, TemplateError, fields_in, fill, joined, missing_in
from leads.sequences.template_fields import FIELDS, values_for

MAX_TEMPLATES = 200

#: Returns what people call those that use a template. A template in use cannot be deleted, nor change its channel.
Users = Callable[[MessageTemplate], list[str]]
_users: list[Users] = []


@dataclass(frozen=True, slots=True)
class FilledTemplate:
    """A template filled for one lead. `missing` are the fields with neither a value nor a default."""

    subject: Sequence[Part]
    text: Sequence[Part]

    @property
    def subject_text(self) -> str:
        return joined(self.subject).strip()

    @property
    def body_text(self) -> str:
        return joined(self.text).strip()

    @property
    def missing(self) -> list[str]:
        return missing_in([*self.subject, *self.text])


def register_template_users(users: Users) -> Users:
    """Register who says which of its objects use a template."""
    _users.append(users)
    return users


@transaction.atomic
def create_template(
    agency: Agency, *, name: str, channel: str, text: str, subject: str = "", by: Actor | None = None
) -> MessageTemplate:
    """Create a template. Raises FieldError, which names an unknown field of the text."""
    Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)
    if agency.message_templates.count() >= MAX_TEMPLATES:
        raise FieldError("", gettext("An agency has at most %(n)d templates.") % {"n": MAX_TEMPLATES})
    template = MessageTemplate(agency=agency, name=name, channel=channel, subject=subject, text=text)
    _check(template)
    template.save(force_insert=True)
    audit.log_creation(by, template, gettext_noop("Template created"))
    return template


@transaction.atomic
def update_template(template: MessageTemplate, *, by: Actor | None = None, **changes: Any) -> MessageTemplate:
    """Change the name, channel, subject or text of a template. Raises FieldError."""
    template = _locked(template)
    if changes.get("channel", template.channel) != template.channel and (used := users_of(template)):
        raise FieldError("channel", gettext("%(user)s uses this template.") % {"user": used[0]})
    for name in ("name", "channel", "subject", "text"):
        setattr(template, name, changes.get(name, getattr(template, name)))
    _check(template)
    template.save()
    audit.log_change(by, template, gettext_noop("Template changed"), ", ".join(sorted(changes)))
    return template


@transaction.atomic
def delete_template(template: MessageTemplate, *, by: Actor | None = None) -> None:
    """Delete a template. Raises FieldError while anything uses it."""
    template = _locked(template)
    if used := users_of(template):
        raise FieldError("", gettext("%(user)s uses this template.") % {"user": used[0]})
    audit.log_deletion(by, template, gettext_noop("Template deleted"))
    template.delete()


def users_of(template: MessageTemplate) -> list[str]:
    """Return what people call those that use a template."""
    return [name for users in _users for name in users(template)]


def fields_of(template: MessageTemplate) -> list[str]:
    """Return the fields that a template names, each once."""
    return fields_in(f"{template.subject}\n{template.text}", FIELDS)


def fill_for(template: MessageTemplate, lead: Lead) -> FilledTemplate:
    """Fill a template with a lead's values."""
    values = values_for(lead)
    return FilledTemplate(fill(template.subject, values), fill(template.text, values))


def check_text(field: str, text: str) -> None:
    """Raise FieldError for `field` if the text has a placeholder that cannot be read, or an unknown field."""
    try:
        fields_in(text, FIELDS)
    except TemplateError as error:
        raise FieldError(field, str(error)) from error


def _check(template: MessageTemplate) -> None:
    """Clean a template's values. Raises FieldError."""
    template.name = " ".join(plain(template.name).split())
    if not template.name or len(template.name) > MAX_NAME_LENGTH:
        raise FieldError("name", gettext("Enter a name of at most %(n)d characters.") % {"n": MAX_NAME_LENGTH})
    others = MessageTemplate.objects.filter(agency=template.agency, name=template.name).exclude(pk=template.pk)
    if others.exists():
        raise FieldError("name", gettext("There is a template of this name already."))
    template.subject = " ".join(plain(template.subject).split())
    if template.channel == TemplateChannel.EMAIL and not template.subject:
        raise FieldError("subject", gettext("An e-mail needs a subject."))
    if template.channel != TemplateChannel.EMAIL and template.subject:
        raise FieldError("subject", gettext("Only e-mails have a subject."))
    if len(template.subject) > MAX_SUBJECT_LENGTH:
        raise FieldError("subject", gettext("Use at most %(n)d characters.") % {"n": MAX_SUBJECT_LENGTH})
    template.text = plain(template.text, lines=True).strip()
    if not template.text or len(template.text) > MAX_TEXT_LENGTH:
        raise FieldError("text", gettext("Write a text of at most %(n)d characters.") % {"n": MAX_TEXT_LENGTH})
    check_text("subject", template.subject)
    check_text("text", template.text)


def _locked(template: MessageTemplate) -> MessageTemplate:
    return MessageTemplate.objects.select_for_update(of=("self",)).select_related("agency").get(pk=template.pk)
