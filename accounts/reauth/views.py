"""Serve `/reauth/{token}`, the page on which an account's owner reconnects it. The secret link replaces a sign-in.

What the owner types passes through to the provider and is stored nowhere. Only the response that embeds a provider's
page names that host in its policy. The provider's webhook alone says whether the account is back, never the browser.
"""

import json
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.core.enums import AccountStatus, provider_name
from accounts.linkedin.advice import REASONS
from accounts.models import Account, ReauthPrompt
from accounts.models.reauth import PromptEnd, StepKind
from accounts.providers import salesflow, welink
from accounts.providers.client import ProviderError
from accounts.reauth import attempts, prompts
from accounts.reauth.options import Offer, Way, frame_for, offer_for, store_token
from accounts.reauth.provider_requests import request_log
from accounts.tenancy.brand import look_of
from accounts.tenancy.languages import locale_in
from accounts.tenancy.localtime import format_local_time, get_zone

MAX_ATTEMPTS = 10
REFRESH_SECONDS = 3
THANKS_DURATION = timedelta(hours=1)
MAX_RESULT_BYTES = 16 * 1024


class SignInForm(forms.Form):
    email = forms.EmailField(max_length=254)
    password = forms.CharField(max_length=200, strip=False)


class PinForm(forms.Form):
    pin = forms.RegexField(r"\A[0-9A-Za-z]{4,12}\Z", error_messages={"invalid": _("A code has 4 to 12 digits.")})


@never_cache
@sensitive_post_parameters("password", "pin")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show which account is down and why, and offer the provider's step. A POST takes the step.

    A GET changes nothing, because programs that check links in mails send it.
    """
    prompt = _prompt(token)
    if prompt.end is not None:
        return _render_ended(request, prompt)
    if request.method == "POST":
        attempts.record_page_use(prompt)
        if request.POST.get("step") == "used":
            return HttpResponse(status=HTTPStatus.NO_CONTENT)
        return _take_step(request, prompt, token)
    if attempts.is_waiting(prompt):
        return redirect("reauth_progress", token)
    return _page(request, prompt, problem=_what_went_wrong(prompt))


@never_cache
@require_safe
def progress(request: HttpRequest, token: str) -> HttpResponseBase:
    """Wait for the provider's report on the owner's step, then thank the owner."""
    prompt = _prompt(token)
    if _is_just_done(prompt):
        return _render(request, "reauth/done.html", prompt)
    if prompt.end is not None:
        return _render_ended(request, prompt)
    if attempts.is_waiting(prompt):
        waiting = _render(request, "reauth/waiting.html", prompt)
        waiting["Refresh"] = str(REFRESH_SECONDS)
        return waiting
    return redirect("reauth", token)


@never_cache
@require_POST
def result(request: HttpRequest, token: str) -> HttpResponse:
    """Take the result that Salesflow's frame gave the page (`handleResponse`).

    The token in it is stored. The status in it is ignored, because a browser could send anything.
    """
    prompt = _prompt(token)
    open_or_just_done = prompt.end is None or _is_just_done(prompt)  # the webhook may be faster than the frame
    if not open_or_just_done or prompt.account.status == AccountStatus.DELETED:
        return JsonResponse({"message": gettext("This link has ended.")}, status=410)
    if prompt.end is None:
        attempts.record_page_use(prompt)
    if attempts.count_recent_attempts(prompt) >= MAX_ATTEMPTS:
        return _too_many_attempts(JsonResponse({"message": gettext("Please wait ten minutes before the next try.")}))
    outcome = _read_result(request)
    if outcome is None:
        return JsonResponse({"message": gettext("This cannot be understood.")}, status=400)
    problem = _problem_with(outcome, prompt.account)
    if problem:
        attempts.add_step(prompt, StepKind.FAILED, text=problem)
        return JsonResponse({"message": gettext(problem)})
    account_token = outcome.get("token")
    if isinstance(account_token, str) and 0 < len(account_token) <= salesflow.MAX_TOKEN_LENGTH:
        store_token(prompt.account, account_token)
    if prompt.end is None:
        attempts.add_step(prompt, StepKind.FINISHED, text=salesflow.NAME)
    return JsonResponse({"message": gettext("Thank you."), "finished": True})


def _prompt(token: str) -> ReauthPrompt:
    prompt = prompts.prompt_of_link(token)
    if prompt is None:
        raise Http404("There is no such link.")
    return prompt


def _is_just_done(prompt: ReauthPrompt) -> bool:
    closed_at = prompt.closed_at
    return prompt.end is PromptEnd.DONE and closed_at is not None and timezone.now() - closed_at < THANKS_DURATION


def _take_step(request: HttpRequest, prompt: ReauthPrompt, token: str) -> HttpResponseBase:
    """Take the step that a form asks for, if the account's provider offers it."""
    offer = offer_for(prompt.account)
    asked = request.POST.get("step", "")
    if attempts.count_recent_attempts(prompt) >= MAX_ATTEMPTS:
        return _too_many_attempts(
            _page(request, prompt, problem=gettext("Please wait ten minutes before the next try."))
        )
    if asked == "frame" and offer.way is Way.FRAME:
        return _open_frame(request, prompt, offer, token)
    if asked == "sign_in" and offer.way is Way.SIGN_IN:
        form: forms.Form = SignInForm(request.POST)
    elif asked == "pin" and _pin_request(prompt.account, offer):
        form = PinForm(request.POST)
    else:
        return _page(request, prompt, problem=gettext("That step is not offered any more."), status=400)
    if not form.is_valid():
        return _page(request, prompt, form=form, status=400)
    try:
        _submit_to_provider(prompt, offer, form)
    except ProviderError as error:
        attempts.add_step(prompt, StepKind.FAILED, text=str(error))
        return _page(request, prompt, problem=gettext(str(error)), form=form, status=502)
    return redirect("reauth_progress", token)


def _submit_to_provider(prompt: ReauthPrompt, offer: Offer, form: forms.Form) -> None:
    """Submit the owner's input to the provider, and register the request for its result. Raises ProviderError."""
    assert offer.source is not None  # noqa: S101 (a sign-in is offered for a source)
    step = attempts.add_step(prompt, StepKind.SUBMITTED, text=welink.NAME)  # before the call: the result may be faster
    if isinstance(form, PinForm):
        request_id = welink.enter_pin(
            offer.source,
            offer.credentials,
            request_id=_pin_request(prompt.account, offer),
            pin=form.cleaned_data["pin"],
        )
    else:
        request_id = welink.sign_in(offer.source, offer.credentials, **form.cleaned_data)
    request_log().register_sign_in(offer.source, prompt.account, request_id)
    attempts.set_reference(step, request_id)


def _open_frame(request: HttpRequest, prompt: ReauthPrompt, offer: Offer, token: str) -> HttpResponseBase:
    attempts.add_step(prompt, StepKind.STARTED, text=salesflow.NAME)
    try:
        frame = frame_for(prompt.account, offer)
    except ProviderError as error:
        attempts.add_step(prompt, StepKind.FAILED, text=str(error))
        return _page(request, prompt, problem=gettext(str(error)), status=502)
    response = _render(request, "reauth/frame.html", prompt, frame=frame, token=token)
    response._csp_config = settings.SECURE_CSP | {"frame-src": [frame.origin]}  # type: ignore[attr-defined]
    return response


def _pin_request(account: Account, offer: Offer) -> str:
    """Return the id of the sign-in that waits for a code. Return "" if none waits or the source has no address for
    codes."""
    if offer.way is not Way.SIGN_IN or not offer.source or not offer.source.pin_endpoint:
        return ""
    if account.status != AccountStatus.INCOMPLETE:
        return ""
    return request_log().newest_sign_in(offer.source, account)


def _what_went_wrong(prompt: ReauthPrompt) -> str:
    """Return what went wrong with the latest attempt, or an empty text."""
    step = attempts.last_submission(prompt)
    if step is None:
        return ""
    answer = attempts.report_since(step)
    provider = provider_name(prompt.account.provider)
    if answer is None:
        failed = prompt.steps.filter(kind=StepKind.FAILED, id__gt=step.id).exists()
        return (
            ""
            if failed
            else gettext("We have not heard from %(provider)s yet. You may try again.") % {"provider": provider}
        )
    if answer.to_status == AccountStatus.AUTH_ERROR:
        return gettext("LinkedIn did not accept this sign-in. Check the e-mail address and the password.")
    if answer.to_status == AccountStatus.INCOMPLETE:
        return ""
    return gettext("That did not work: %(provider)s could not reach LinkedIn. Try again in a few minutes.") % {
        "provider": provider
    }


def _read_result(request: HttpRequest) -> dict[str, Any] | None:
    if len(request.body) > MAX_RESULT_BYTES:
        return None
    try:
        outcome = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return outcome if isinstance(outcome, dict) else None


def _problem_with(outcome: dict[str, Any], account: Account) -> str:
    """Return why the frame's result is no success for this account, in English, or an empty text."""
    if str(outcome.get("action")) != "1":
        return gettext_noop("Salesflow says that it did not work. Please try again.")
    named = outcome.get("linkedinId")
    if named is not None and account.external_id and str(named) != account.external_id:
        return gettext_noop("Another LinkedIn account was connected. Please try again with the one named above.")
    return ""


def _page(
    request: HttpRequest, prompt: ReauthPrompt, *, problem: str = "", form: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    offer = offer_for(prompt.account)
    asks_pin = bool(_pin_request(prompt.account, offer))
    errors = [str(error) for messages in form.errors.values() for error in messages] if form is not None else []
    return _render(
        request,
        "reauth/page.html",
        prompt,
        status=status,
        way=offer.way.value,
        link=offer.url,
        asks_pin=asks_pin,
        problem=problem or " ".join(errors),
        email=form.data.get("email", "") if isinstance(form, SignInForm) else prompt.account.email,
    )


def _render(
    request: HttpRequest, template: str, prompt: ReauthPrompt, *, status: int = 200, **context: Any
) -> HttpResponse:
    account, language = prompt.account, (get_language() or "en")[:2]
    values = {
        "account": account,
        "agency": account.agency,
        "brand": look_of(account.agency),
        "provider": provider_name(account.provider),
        "why": REASONS.get(AccountStatus(account.status), ""),
        "blocked": account.status == AccountStatus.BLOCKED,
        "expires_at": format_local_time(
            prompt.expires_at, get_zone(account.agency.timezone), locale_in(language, account.agency)
        ),
        **context,
    }
    return render(request, template, values, status=status)


def _render_ended(request: HttpRequest, prompt: ReauthPrompt) -> HttpResponse:
    assert prompt.end is not None  # noqa: S101 (callers check this)
    context = {"end": prompt.end.value, "brand": look_of(prompt.account.agency)}
    return render(request, "reauth/over.html", context, status=HTTPStatus.GONE)


def _too_many_attempts(response: HttpResponse) -> HttpResponse:
    response.status_code = HTTPStatus.TOO_MANY_REQUESTS
    response["Retry-After"] = str(int(attempts.ATTEMPT_WINDOW.total_seconds()))
    return response
