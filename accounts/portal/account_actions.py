"""Change what concerns one LinkedIn account: ask its owner to reconnect it, pause and resume its campaigns."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.campaigns.service import NotReady, pause_all, resume_all
from accounts.models import Account
from accounts.reauth.asking import USER, ask_owner
from accounts.reauth.prompts import NotNeeded, ask
from accounts.tenancy.audit import record_audit
from accounts.tenancy.mail_limits import TooManyMails
from accounts.web.portal.access import MemberRequest, writers
from accounts.web.portal.views import NewSecrets, redirect_back, redirect_to_secrets

PAUSE_REASON = "Paused in Leadline."


@require_POST
@writers
def account_ask(request: MemberRequest, pk: str) -> HttpResponse:
    """Mail the owner a link to reconnect the account."""
    account = _get_account(request, pk)
    with _refusals(request):
        addresses = ask_owner(account)
        record_audit(request.agency, by=request.member.user, action="Owner asked to reconnect", obj=account)
        messages.success(request, _("Reconnect e-mail sent to %(address)s.") % {"address": ", ".join(addresses)})
    return redirect_back(request, "portal_account", account.pk)


@require_POST
@writers
def account_link(request: MemberRequest, pk: str) -> HttpResponse:
    """Make the link to reconnect the account, for a person to hand over. It is shown once."""
    account = _get_account(request, pk)
    with _refusals(request):
        prompt = ask(account, by=USER)
        record_audit(request.agency, by=request.member.user, action="Reconnect link made", obj=account)
        title = _("Link to reconnect %(account)s") % {"account": account}
        hint = _("Send it to the account's owner alone: whoever opens it can sign in for it. It works for seven days.")
        return redirect_to_secrets(
            request, NewSecrets(title, {_("Link"): prompt.url}, hint, reverse("portal_account", args=[account.pk]))
        )
    return redirect_back(request, "portal_account", account.pk)


@require_POST
@writers
def account_pause(request: MemberRequest, pk: str) -> HttpResponse:
    """Pause the account's campaigns, until a person resumes them."""
    account = _get_account(request, pk)
    count = pause_all(account, reason=PAUSE_REASON)
    if count:
        record_audit(request.agency, by=request.member.user, action="Campaigns paused", obj=account, detail=str(count))
    text = ngettext("%(count)s campaign paused.", "%(count)s campaigns paused.", count)
    messages.success(request, text % {"count": count})
    return redirect_back(request, "portal_account", account.pk)


@require_POST
@writers
def account_resume(request: MemberRequest, pk: str) -> HttpResponse:
    """Resume the account's paused campaigns."""
    account = _get_account(request, pk)
    with _refusals(request):
        count = resume_all(account)
        if count:
            record_audit(
                request.agency, by=request.member.user, action="Campaigns resumed", obj=account, detail=str(count)
            )
        text = ngettext("%(count)s campaign resumed.", "%(count)s campaigns resumed.", count)
        messages.success(request, text % {"count": count})
    return redirect_back(request, "portal_account", account.pk)


def _get_account(request: MemberRequest, pk: str) -> Account:
    return get_object_or_404(request.agency.accounts.select_related("sub_account", "agency"), pk=pk)


@contextmanager
def _refusals(request: MemberRequest) -> Iterator[None]:
    """Show why a service refused the block. Continue after the block."""
    try:
        yield
    except (NotNeeded, NotReady, TooManyMails) as refusal:
        messages.error(request, str(refusal))
