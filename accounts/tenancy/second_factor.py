"""A person's second factor."""

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import transaction

from accounts.core import audit


@transaction.atomic
def forget_second_factor(user: User, *, by: User) -> None:
    """Take the second factor of who lost it away, recovery codes too: the password alone signs in, until a new one is
    set up."""
    Authenticator.objects.filter(user=user).delete()
    audit.changed(by, user, "Second factor forgotten.")
