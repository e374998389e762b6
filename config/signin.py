"""How people sign in: allauth's rules, except that nobody signs up, and that second factors are kept encrypted."""

import time
from typing import Any

from allauth.account import app_settings as account_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url

from accounts.fields import fernet


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Staff start in the back office, everybody else at home."""
        user = request.user
        return resolve_url("admin:index" if user.is_authenticated and user.is_staff else settings.LOGIN_REDIRECT_URL)

    def is_reauthentication_required(self, *, app: str, **options: Any) -> bool:
        """Not for who signed in a moment ago: setting up the second factor then takes the password once, not twice."""
        user = self.request.user
        if any(
            time.time() - record.get("at", 0) < account_settings.REAUTHENTICATION_TIMEOUT
            for record in get_authentication_records(self.request, user)
        ):
            return False
        return bool(super().is_reauthentication_required(app=app, **options))


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Authenticator secrets and recovery seeds are encrypted with FIELD_ENCRYPTION_KEYS."""

    def encrypt(self, text: str) -> str:
        return fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return fernet().decrypt(encrypted_text.encode()).decode()
