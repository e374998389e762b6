"""Show API keys, the agency's settings, the choice of an agency, and secrets once."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models.preference import Theme
from accounts.tenancy import languages, preferences
from accounts.tenancy.agencies import update_agency
from accounts.tenancy.api_keys import create_api_key, revoke_api_key
from accounts.web.portal.access import CHOSEN_AGENCY, MemberRequest, owners, readers, writers
from accounts.web.portal.forms import AgencyForm, KeyForm
from accounts.web.portal.unsent_forms import answer_signed_out
from accounts.web.portal.views import NewSecrets, pop_secrets, redirect_back, redirect_to_secrets, render_page
from accounts.web.recent_sign_in import with_recent_sign_in

KEY_HINT = _("Programs send it as “Authorization: Bearer <the key>”. If you lose it, revoke it and create another.")


@require_http_methods(["GET", "HEAD", "POST"])
@owners
@with_recent_sign_in
def key_page(request: MemberRequest) -> HttpResponse:
    """List the API keys. A POST makes one."""
    form = KeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        row, key = create_api_key(request.agency, by=request.member.user, **form.values())
        return redirect_to_secrets(
            request,
            NewSecrets(
                gettext("The key for %(name)s") % {"name": row.name},
                {gettext("API key"): key},
                hint=str(KEY_HINT),
                back=reverse("portal_keys"),
            ),
        )
    keys = request.agency.api_keys.order_by("-id")
    now = timezone.now()
    return render_page(
        request,
        "portal/keys.html",
        "keys",
        status=422 if form.errors else 200,
        form=form,
        keys=[key for key in keys if key.revoked_at is None],
        revoked=[key for key in keys if key.revoked_at],
        now=now,
    )


@require_POST
@owners
def key_revoke(request: MemberRequest, pk: str) -> HttpResponse:
    key = get_object_or_404(request.agency.api_keys, pk=pk)
    revoke_api_key(key, by=request.member.user)
    messages.success(request, gettext("%(key)s was revoked.") % {"key": key})
    return redirect_back(request, "portal_keys")


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def agency_page(request: MemberRequest) -> HttpResponse:
    form = AgencyForm(request.POST if request.method == "POST" else None, instance=request.agency)
    if request.method == "POST" and form.is_valid():
        update_agency(request.agency, by=request.member.user, **form.cleaned_data)
        messages.success(request, gettext("Saved."))
        return redirect_back(request, "portal_settings")
    request.agency.refresh_from_db()
    return render_page(request, "portal/settings.html", "settings", status=422 if form.errors else 200, form=form)


@require_POST
@readers
def choose_agency(request: MemberRequest) -> HttpResponse:
    """Show another agency of this person."""
    member = get_object_or_404(request.member.user.memberships, agency_id=request.POST.get("agency", ""))
    request.session[CHOSEN_AGENCY] = member.agency_id
    return redirect("home")


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponseBase:
    """Keep the theme of the person who is signed in, member or not, and lead back to the page."""
    if not request.user.is_authenticated:
        return answer_signed_out(request)
    if (theme := request.POST.get("theme", "")) in set(Theme):
        preferences.choose_theme(request.user, Theme(theme))
    return redirect_back(request, "home")


@require_POST
def choose_language(request: HttpRequest) -> HttpResponseBase:
    """Keep the language of the person who is signed in, member or not, and lead back to the page."""
    if not request.user.is_authenticated:
        return answer_signed_out(request)
    if (language := request.POST.get("language", "")) in dict(settings.LANGUAGES):
        languages.choose_language(request.user, language)
    return redirect_back(request, "home")


@require_safe
@readers
def shown_once(request: MemberRequest) -> HttpResponse:
    """Show the secrets of the last change, once."""
    secrets = pop_secrets(request)
    if secrets is None:
        messages.info(request, gettext("This secret was already shown and can't be shown again."))
        return redirect("home")
    return render_page(request, "portal/shown_once.html", "", shown=secrets)
