"""How people sign in: allauth's rules, except that nobody signs up, and that second factors are kept encrypted."""

from allauth.account.adapter import DefaultAccountAdapter
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


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Authenticator secrets and recovery seeds are encrypted with FIELD_ENCRYPTION_KEYS."""

    def encrypt(self, text: str) -> str:
        return fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return fernet().decrypt(encrypted_text.encode()).decode()
