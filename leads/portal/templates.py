"""Show the agency's templates, change them, and show what they say to a lead."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.core.search import is_long_enough
from accounts.core.text import MAX_NAME_LENGTH
from accounts.models import Agency
from accounts.web.portal.access import MemberRequest, readers, writers
from accounts.web.portal.views import render_page
from accounts.web.refusals import refusals_as_messages, refusals_on
from leads.enums import TemplateChannel
from leads.labels import TEMPLATE_CHANNELS
from leads.models import Lead, MessageTemplate
from leads.models.templates import MAX_SUBJECT_LENGTH, MAX_TEXT_LENGTH
from leads.pipeline.search import leads_matching
from leads.sequences import templates
from leads.sequences.template_fields import FIELDS

SECTION = "templates"


class TemplateForm(forms.Form):
    name = forms.CharField(max_length=MAX_NAME_LENGTH, label=_("Name"))
    channel = forms.ChoiceField(
        label=_("Sent by"), choices=[(channel.value, label) for channel, label in TEMPLATE_CHANNELS.items()]
    )
    subject = forms.CharField(
        max_length=MAX_SUBJECT_LENGTH, label=_("Subject"), required=False, help_text=_("Of e-mails alone.")
    )
    text = forms.CharField(
        max_length=MAX_TEXT_LENGTH,
        label=_("Text"),
        widget=forms.Textarea({"rows": 12}),
        help_text=_('Fields are written as {{ first_name }}, with a default as {{ first_name|default:"there" }}.'),
    )


@require_GET
@readers
def template_list(request: MemberRequest) -> HttpResponse:
    """List all templates."""
    return render_page(
        request, "portal/templates.html", SECTION, templates=request.agency.message_templates.order_by("name")
    )


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def template_new(request: MemberRequest) -> HttpResponse:
    """Make a template."""
    form = TemplateForm(request.POST or None, initial={"channel": TemplateChannel.EMAIL})
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            made = templates.create_template(request.agency, by=request.member.user, **form.cleaned_data)
            return redirect("portal_template", made.pk)
    return render_page(
        request, "portal/template_new.html", SECTION, form=form, fields=FIELDS, status=422 if form.errors else 200
    )


@require_GET
@readers
def template_page(request: MemberRequest, pk: str) -> HttpResponse:
    """Show a template, what it says to a lead, and the form that changes it."""
    template = get_object_or_404(MessageTemplate, agency=request.agency, pk=pk)
    return _render(request, template, TemplateForm(initial=_initial(template)))


@require_POST
@writers
def template_change(request: MemberRequest, pk: str) -> HttpResponse:
    """Change a template."""
    template = get_object_or_404(MessageTemplate, agency=request.agency, pk=pk)
    form = TemplateForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            templates.update_template(template, by=request.member.user, **form.cleaned_data)
            messages.success(request, gettext("%(name)s was saved.") % {"name": form.cleaned_data["name"]})
            return redirect("portal_template", template.pk)
    return _render(request, template, form)


@require_POST
@writers
def template_delete(request: MemberRequest, pk: str) -> HttpResponse:
    """Delete a template that nothing uses."""
    template = get_object_or_404(MessageTemplate, agency=request.agency, pk=pk)
    with refusals_as_messages(request):
        templates.delete_template(template, by=request.member.user)
        messages.success(request, gettext("%(name)s was deleted.") % {"name": template})
        return redirect("portal_templates")
    return redirect("portal_template", pk)


def _render(request: MemberRequest, template: MessageTemplate, form: TemplateForm) -> HttpResponse:
    word = request.GET.get("q", "").strip()
    lead = lead_for_preview(request.agency, word)
    return render_page(
        request,
        "portal/template.html",
        SECTION,
        status=422 if form.errors else 200,
        shown=template,
        form=form,
        fields=FIELDS,
        users=templates.users_of(template),
        word=word,
        filtered=bool(word),
        lead=lead,
        filled=templates.fill_for(template, lead) if lead else None,
    )


def lead_for_preview(agency: Agency, word: str) -> Lead | None:
    """Return the newest lead that a word finds, or the newest of all without a word."""
    found = Lead.objects.filter(agency=agency)
    if is_long_enough(word):
        found = found.filter(leads_matching(agency.pk, word))
    return found.select_related("agency", "assigned_to").order_by("-pk").first()


def _initial(template: MessageTemplate) -> dict[str, Any]:
    return {name: getattr(template, name) for name in ("name", "channel", "subject", "text")}
