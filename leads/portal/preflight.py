"""Show the box for a reply, filled from a template if one was chosen, and beside it what speaks against sending."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.core.markup import Tone
from accounts.portal import MemberRequest
from leads.enums import TemplateChannel
from leads.models import Thread
from leads.pipeline.dto import MAX_MESSAGE_LENGTH
from leads.sequences.preflight import Check, Level, Place, preflight
from leads.sequences.templates import fill_for


class ReplyForm(forms.Form):
    text = forms.CharField(
        label=_("Reply"),
        max_length=MAX_MESSAGE_LENGTH,
        widget=forms.Textarea({"rows": 4, "data-key": "r", "data-key-name": _("Reply")}),
        help_text=_("Ctrl and Enter send it."),
    )


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A check as the page shows it: with a word for its level, and a link to where it is changed."""

    check: Check
    word: str
    tone: Tone
    url: str
    link: str


LEVELS: dict[Level, tuple[Any, Tone]] = {
    Level.GOOD: (_("Fine"), "good"),
    Level.UNKNOWN: (_("Not known"), "quiet"),
    Level.WARN: (_("Look first"), "warn"),
    Level.STOP: (_("Cannot be sent"), "bad"),
}


def reply_context(request: MemberRequest, thread: Thread, refused: ReplyForm | None = None) -> dict[str, Any]:
    """Return what the box for a reply shows: the form, templates to fill it from, and the checks."""
    templates = request.agency.message_templates.filter(channel=TemplateChannel.LINKEDIN).order_by("name")
    chosen = None if refused else templates.filter(pk=request.GET.get("template", "")).first()
    filled = fill_for(chosen, thread.lead) if chosen else None
    form = refused or ReplyForm(initial={"text": filled.body_text if filled else ""})
    checks = preflight(thread, str(form["text"].value() or ""), missing=filled.missing if filled else ())
    return {
        "reply_form": form,
        "reply_templates": templates,
        "chosen_template": chosen,
        "checks": [_line(check, thread) for check in checks],
    }


def _line(check: Check, thread: Thread) -> CheckLine:
    word, tone = LEVELS[check.level]
    url, link = _page(check.place, thread)
    return CheckLine(check, str(word), tone, url, link)


def _page(place: Place, thread: Thread) -> tuple[str, str]:
    """Return the page on which what a check found is changed, and what the link to it says."""
    if place is Place.LEAD:
        return reverse("portal_lead", args=[thread.lead_id]), str(_("Open the lead"))
    if place is Place.ACCOUNT and thread.account_id:
        return reverse("portal_account", args=[thread.account_id]), str(_("Open the account"))
    if place is Place.SOURCES:
        return reverse("portal_sources"), str(_("Open the sources"))
    return "", ""
