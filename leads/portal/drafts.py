"""Write a draft of a message to a lead, and show where its words come from. A person copies it and sends it."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.models import Agency
from accounts.web.portal.access import MemberRequest, writers
from accounts.web.portal.views import render_page
from leads.pipeline.merge import root_id
from leads.sequences.drafts import Draft, DraftError, drafter_for, facts_about, has_model

MODEL = ""


class DraftForm(forms.Form):
    template = forms.ChoiceField(label=_("Written by"), required=False)
    brief = forms.CharField(
        label=_("What the message is to say"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Only a model reads it. A template says what it says."),
    )

    def __init__(self, agency: Agency, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["template"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        templates = [(one.pk, str(one)) for one in agency.message_templates.order_by("name")]
        field.choices = [*([(MODEL, _("The model"))] if has_model() else []), *templates]


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def lead_draft(request: MemberRequest, pk: str) -> HttpResponse:
    """Show the form, and the draft once it is asked for. Nothing is sent to the lead."""
    found = request.agency.leads.select_related("agency", "assigned_to")
    lead = get_object_or_404(found, pk=root_id(pk, request.agency))
    form = DraftForm(request.agency, request.POST or None)
    draft: Draft | None = None
    if request.method == "POST" and form.is_valid():
        template = request.agency.message_templates.filter(pk=form.cleaned_data["template"]).first()
        drafter = drafter_for(template)
        try:
            draft = drafter.write(lead, facts_about(lead), form.cleaned_data["brief"]) if drafter else None
        except DraftError as error:
            form.add_error(None, str(error))
    return render_page(
        request,
        "portal/draft.html",
        "leads",
        status=422 if form.errors else 200,
        lead=lead,
        form=form,
        draft=draft,
        can_draft=bool(form.fields["template"].choices),  # type: ignore[attr-defined]
    )
