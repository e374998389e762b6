"""Show the rules of a kind in their order, and change them."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Agency
from accounts.web.portal.access import MemberRequest, readers, writers
from accounts.web.portal.pagination import paginate
from accounts.web.portal.views import render_page
from accounts.web.refusals import refusals_as_messages, refusals_on
from leads.conditions.errors import ConditionError
from leads.conditions.target_lists import compile_for, sentence_for
from leads.models import RulePreview
from leads.models.rules import Rule, RuleSetVersion
from leads.portal.rules.forms import RuleForm, conditions_of
from leads.portal.rules.kinds import RulePages, rule_pages
from leads.rules import service
from leads.rules.preview import DAYS
from leads.rules.preview_jobs import request_preview


def pages_of(kind: str) -> RulePages:
    """Return the pages of a kind. Raises Http404."""
    found = rule_pages(kind)
    if found is None:
        raise Http404
    return found


@require_safe
@readers
def rule_list(request: MemberRequest, kind: str) -> HttpResponse:
    """List the rules of a kind, with the newest preview that `preview` names."""
    pages = pages_of(kind)
    rules = service.rules_of(pages.kind, request.agency)
    return render_page(
        request,
        "portal/rules/list.html",
        pages.section,
        pages=pages,
        rows=[(rule, sentence_for(rule.agency, rule.conditions), pages.effect_of(rule)) for rule in rules],
        last=len(rules),
        days=DAYS,
        preview=_preview(request, pages, request.GET.get("preview", "")),
        **pages.context(request.agency),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def rule_new(request: MemberRequest, kind: str) -> HttpResponse:
    """Show an empty rule. A POST makes it, at the end."""
    pages = pages_of(kind)
    form = pages.form(request.agency, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and not _asks_for_preview(request):
        with refusals_on(form):
            rule = service.create_rule(pages.kind, request.agency, by=request.member.user, **form.values())
            messages.success(request, gettext("%(name)s was created.") % {"name": rule})
            return redirect(pages.view)
    return _render_rule(request, pages, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def rule_page(request: MemberRequest, kind: str, pk: str) -> HttpResponse:
    """Show one rule. A POST changes it."""
    pages = pages_of(kind)
    rule = get_object_or_404(_rules(request, pages), pk=pk)
    initial = pages.form.initial_of(rule)
    form = pages.form(request.agency, request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid() and not _asks_for_preview(request):
        with refusals_on(form):
            service.change_rule(pages.kind, rule, by=request.member.user, **form.values())
            messages.success(request, gettext("%(name)s was saved.") % {"name": form.cleaned_data["name"]})
            return redirect(pages.view)
    return _render_rule(request, pages, form, rule)


@require_POST
@writers
def rule_move(request: MemberRequest, kind: str, pk: str) -> HttpResponse:
    """Move a rule to the position that the form names."""
    pages = pages_of(kind)
    rule = get_object_or_404(_rules(request, pages), pk=pk)
    position = request.POST.get("position", "")
    with refusals_as_messages(request):
        service.change_rule(
            pages.kind, rule, by=request.member.user, position=int(position) if position.isdecimal() else 0
        )
        messages.success(request, gettext("%(name)s was moved.") % {"name": rule})
    return redirect(pages.view)


@require_POST
@writers
def rule_delete(request: MemberRequest, kind: str, pk: str) -> HttpResponse:
    """Delete a rule."""
    pages = pages_of(kind)
    rule = get_object_or_404(_rules(request, pages), pk=pk)
    service.delete_rule(pages.kind, rule, by=request.member.user)
    messages.success(request, gettext("%(name)s was deleted.") % {"name": rule})
    return redirect(pages.view)


@require_POST
@writers
def condition_sentence(request: MemberRequest) -> HttpResponse:
    """Answer with the sentence of conditions that are being written, or with what is wrong with them."""
    form = RuleForm(request.agency, {"name": "draft", "conditions": request.POST.get("conditions", "")})
    valid = form.is_valid()
    sentence = compile_for(request.agency, form.cleaned_data["conditions"]).sentence if valid else ""
    context: dict[str, Any] = {"sentence": sentence, "errors": form.errors.get("conditions", [])}
    return render(request, "portal/rules/_sentence.html", context)


@require_POST
@readers
def rule_preview(request: MemberRequest, kind: str) -> HttpResponse:
    """Ask for a preview of the saved rules over the days that the form names."""
    pages = pages_of(kind)
    days = request.POST.get("days", "")
    with refusals_as_messages(request):
        row = request_preview(pages.kind, request.agency, days=int(days) if days.isdecimal() else 0)
        return redirect(f"{reverse(pages.view)}?preview={row.pk}#preview")
    return redirect(pages.view)


@require_safe
@readers
def rule_preview_result(request: MemberRequest, kind: str, pk: str) -> HttpResponse:
    """Show how far a preview is, or its result. The page asks every second until it is finished."""
    pages = pages_of(kind)
    preview = _preview(request, pages, pk)
    if preview is None:
        raise Http404
    return render(request, "portal/rules/_preview.html", {"preview": preview, "pages": pages})


@require_safe
@readers
def rule_history(request: MemberRequest, kind: str) -> HttpResponse:
    """List the versions of the rules, newest first."""
    pages = pages_of(kind)
    versions = RuleSetVersion.objects.filter(rule_set__agency=request.agency, rule_set__kind=pages.kind.name)
    page = paginate(request, versions)
    newest = versions.order_by("-number").values_list("number", flat=True).first()
    return render_page(request, "portal/rules/history.html", pages.section, pages=pages, page=page, newest=newest)


@require_POST
@writers
def rule_rollback(request: MemberRequest, kind: str) -> HttpResponse:
    """Bring the rules of a version back."""
    pages = pages_of(kind)
    number = request.POST.get("version", "")
    with refusals_as_messages(request):
        service.roll_back(pages.kind, request.agency, int(number) if number.isdecimal() else 0, by=request.member.user)
        messages.success(request, gettext("The rules are those of version %(number)s again.") % {"number": number})
    return redirect(pages.view)


def _rules(request: MemberRequest, pages: RulePages) -> Any:
    return pages.kind.model._default_manager.filter(agency=request.agency)


def _asks_for_preview(request: MemberRequest) -> bool:
    return "preview_days" in request.POST


def _render_rule(request: MemberRequest, pages: RulePages, form: RuleForm, rule: Rule | None) -> HttpResponse:
    preview = None
    if _asks_for_preview(request) and form.is_valid():
        with refusals_on(form):
            preview = _request_draft_preview(request, pages, form, rule)
    typed = str(form["conditions"].value() or "")
    return render_page(
        request,
        "portal/rules/rule.html",
        pages.section,
        status=422 if form.errors else 200,
        pages=pages,
        form=form,
        rule=rule,
        days=DAYS,
        own_fields=[form[name] for name in form.OWN],
        sentence=_sentence(request.agency, typed),
        preview=preview,
    )


def _request_draft_preview(request: MemberRequest, pages: RulePages, form: RuleForm, rule: Rule | None) -> RulePreview:
    """Ask for a preview of the saved rules, with this one as the form has it. Raises FieldError."""
    drafts = [
        form.values() if rule is not None and one.pk == rule.pk else service.values_of(one)
        for one in service.rules_of(pages.kind, request.agency)
    ]
    if rule is None:
        drafts.append(form.values())
    days = request.POST["preview_days"]
    return request_preview(pages.kind, request.agency, days=int(days) if days.isdecimal() else 0, drafts=drafts)


def _sentence(agency: Agency, text: str) -> str:
    try:
        return compile_for(agency, conditions_of(text)).sentence
    except (ConditionError, ValidationError):
        return ""


def _preview(request: MemberRequest, pages: RulePages, pk: str) -> RulePreview | None:
    return RulePreview.objects.filter(agency=request.agency, kind=pages.kind.name, pk=pk).first()
