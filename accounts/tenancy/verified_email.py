"""Prove that an e-mail address belongs to a person. Only a verified address identifies a user.

A verified address is an `EmailAddress(verified=True)`. A user has at most one, which is also their `User.email`. A
mailed link proved it: an invitation, or the confirmation of a change that the signed-in user asked for. A `User.email`
without such a row receives mail but identifies nobody.
"""

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from accounts.core.email_addresses import email_key, normalize_email

_MAX_USERNAME_LENGTH = 150


class EmailTaken(ValueError):
    """Another user has verified this address."""

    def __init__(self) -> None:
        super().__init__("Another user has verified this address.")


def find_user_by_email(email: str) -> User | None:
    """Return the user who has verified the address, or None."""
    found = EmailAddress.objects.filter(email=email_key(email), verified=True).select_related("user").first()
    return found.user if found else None


def verified_email(user: User) -> str:
    """Return the address that the user has verified, or an empty string."""
    found: str | None = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True).first()
    return found or ""


@transaction.atomic
def mark_email_verified(user: User, email: str) -> None:
    """Make a proved address the user's only one. Rename a user whose name was the previous address.

    Raises EmailTaken.
    """
    email = normalize_email(email)
    previous = user.email
    EmailAddress.objects.filter(user=user).exclude(email=email).delete()
    try:
        with transaction.atomic():
            EmailAddress.objects.update_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    except IntegrityError:
        raise EmailTaken from None
    user.email = email
    user.save(update_fields=["email"])
    rename_after_change(user, previous)


def rename_after_change(user: User, previous: str) -> None:
    """Replace a user name that was the previous address by the current address, unless another user has that name."""
    if not previous or email_key(user.username) != email_key(previous) or len(user.email) > _MAX_USERNAME_LENGTH:
        return
    if not User.objects.filter(username__iexact=user.email).exclude(pk=user.pk).exists():
        user.username = user.email
        user.save(update_fields=["username"])


@transaction.atomic
def set_unverified_email(user: User, email: str) -> None:
    """Replace the user's address on behalf of another person. The new address identifies nobody until the user proves
    it."""
    EmailAddress.objects.filter(user=user).exclude(email=email).delete()
    if email:
        EmailAddress.objects.get_or_create(user=user, email=email)
    user.email = email
    user.save(update_fields=["email"])
