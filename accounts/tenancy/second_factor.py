"""Reset a person's second factor."""

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import transaction

from accounts.tenancy import audit


@transaction.atomic
def forget_second_factor(user: User, *, by: User) -> None:
    """Delete the second factor and recovery codes of a user who lost them. The password alone signs in until a new one
    is set up."""
    Authenticator.objects.filter(user=user).delete()
    audit.log_change(by, user, "Two-factor authentication reset")
