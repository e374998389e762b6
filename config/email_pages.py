"""Let a signed-in user change their address, which counts once they have proved the new one."""

from typing import Any

from allauth.account.models import get_emailconfirmation_model
from allauth.account.views import ConfirmEmailView, EmailView
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render


class ChangeEmailView(EmailView):  # type: ignore[misc]
    """Add an address to prove, mail its link again or withdraw it. Only a proof makes it the user's own."""

    def _action_primary(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        return None


class ConfirmOwnEmailView(ConfirmEmailView):  # type: ignore[misc]
    """Confirm an address as the user who asked for it. A person who only reads the mailbox might be tricked into
    confirming."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        confirmation = get_emailconfirmation_model().from_key(kwargs["key"])
        if confirmation is not None and confirmation.email_address.user_id != request.user.pk:
            return render(request, "account/confirm_as_other_user.html", status=403)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response


change_email = ChangeEmailView.as_view()
confirm_email = ConfirmOwnEmailView.as_view()
