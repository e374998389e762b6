"""Adapt allauth's sign-in: nobody signs up, only a verified address identifies a user, second factors are encrypted."""

import time
from typing import Any, ClassVar

import structlog
from allauth.account import app_settings as account_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.authentication import get_authentication_records
from allauth.account.forms import AddEmailForm, ResetPasswordForm
from allauth.account.internal.userkit import get_user_by_username
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.core.email_addresses import email_key, normalize_email, normalize_sender
from accounts.core.encrypted_fields import fernet
from accounts.tenancy.mail_limits import count_mail
from accounts.tenancy.verified_email import find_user_by_email, rename_after_change, verified_email

log = structlog.get_logger("leadline.signin")


class PasswordBackend(AuthenticationBackend):  # type: ignore[misc]
    """The only authentication back end. Every attempt hashes one password, whether the login exists or not."""

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        login = credentials.get("email") or credentials.get("username") or ""
        user = find_user_by_email(login) or get_user_by_username(login)
        return self._check_password(user, credentials.get("password") or "")


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages: ClassVar[dict[str, Any]] = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": _(
            "Too many failed login attempts. Wait a few minutes, or reset your password with “Forgot your password?”. "
            "A passkey works as well."
        )
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def clean_email(self, email: str) -> str:
        return normalize_email(email)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Return the key that counts failures of a login by its address of origin, in any spelling of the login."""
        login = credentials.get("email") or credentials.get("username") or ""
        return f"{ratelimit.get_ip(request)} {email_key(login)}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse after too many failures of the login from this address or, at a higher limit, from everywhere."""
        super().pre_authenticate(request, **credentials)
        login = email_key(credentials.get("email") or credentials.get("username") or "")
        everywhere = {"app": "allauth.account", "action": "login_failed_anywhere", "key": login}
        self._failed_anywhere = ratelimit.consume(request, **everywhere)
        if not self._failed_anywhere:
            raise self.validation_error("too_many_login_attempts")

    def _rollback_login_failed_rl_usage(self) -> None:
        super()._rollback_login_failed_rl_usage()
        if usage := getattr(self, "_failed_anywhere", None):
            usage.rollback()

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        count_mail(emailconfirmation.email_address.email)
        super().send_confirmation_mail(request, emailconfirmation, signup)

    def get_from_email(self) -> str:
        return normalize_sender(settings.DEFAULT_FROM_EMAIL)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Return the back office for staff, and the home page for other users."""
        user = request.user
        return resolve_url("admin:index" if user.is_authenticated and user.is_staff else settings.LOGIN_REDIRECT_URL)

    def is_reauthentication_required(self, *, app: str, **options: Any) -> bool:
        """Return whether re-authentication is required. A user who just signed in may set up the second factor without
        it."""
        user = self.request.user
        if any(
            time.time() - record.get("at", 0) < account_settings.REAUTHENTICATION_TIMEOUT
            for record in get_authentication_records(self.request, user)
        ):
            return False
        return bool(super().is_reauthentication_required(app=app, **options))

    def reauthenticate(self, user: User, password: str) -> bool:
        """Check the password of the signed-in user. Only failures from the same address count against it."""
        super().pre_authenticate(context.request, username=user.get_username())
        if not user.check_password(password):
            return False
        self._rollback_login_failed_rl_usage()
        return True

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Replace the user's address by the proved one, and notify the old address. Return False if another user has
        proved it."""
        user, previous, before = email_address.user, email_address.user.email, verified_email(email_address.user)
        try:
            with transaction.atomic():
                confirmed = bool(super().confirm_email(request, email_address))
                if confirmed:
                    rename_after_change(user, previous)
        except IntegrityError:
            return False
        if confirmed and before:
            self._notify_previous_address(request, before, email_address.email)
        return confirmed

    def _notify_previous_address(self, request: HttpRequest, before: str, after: str) -> None:
        details = {"from_email": before, "to_email": after, "timestamp": timezone.now()}
        asker = {"ip": self.get_client_ip(request), "user_agent": self.get_http_user_agent(request)[:200]}
        try:
            self.send_mail("account/email/email_changed", before, details | asker)
        except OSError:  # also for errors of the mail server, because the change stands
            log.warning("change_of_address_not_mailed", exc_info=True)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypt authenticator secrets and recovery seeds with FIELD_ENCRYPTION_KEYS."""

    def encrypt(self, text: str) -> str:
        return fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return fernet().decrypt(encrypted_text.encode()).decode()


class PasswordResetForm(ResetPasswordForm):  # type: ignore[misc]
    """Mail the reset link only to an address that its user has verified."""

    def clean_email(self) -> str:
        email = normalize_email(self.cleaned_data["email"])
        owner = find_user_by_email(email)
        self.users = [owner] if owner is not None and owner.is_active else []
        return email

    def save(self, request: HttpRequest, **options: Any) -> str:
        """Mail the link. The limit of mails to the address holds whether there is such a user or not."""
        count_mail(self.cleaned_data["email"], purpose="reset")
        return str(super().save(request, **options))


class ChangeEmailForm(AddEmailForm):  # type: ignore[misc]
    """Form that asks for another address. Only the address's owner learns whether another user has it."""

    def clean_email(self) -> str:
        email = normalize_email(self.cleaned_data["email"])
        if email == verified_email(self.user):
            raise ValidationError(gettext("This is your address already."))
        return email
