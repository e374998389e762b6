"""Store pairs of accounts of one agency that may belong to the same person."""

from django.conf import settings
from django.db import models

from accounts.models.account import Account
from accounts.models.agency import Agency


class LinkState(models.TextChoices):
    PROPOSED = "proposed", "to be decided"
    ACCEPTED = "accepted", "the same person"
    DECLINED = "declined", "not the same person"


class AccountLink(models.Model):
    """A pair of accounts. A pair whose names alone agree is proposed, and a person decides. `first` has the smaller
    id."""

    id = models.BigAutoField(primary_key=True)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="account_links")
    first = models.ForeignKey(Account, models.CASCADE, related_name="+")
    second = models.ForeignKey(Account, models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=LinkState, default=LinkState.PROPOSED)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="account_link_once")]
        indexes = [models.Index(fields=["-id"], name="account_link_open", condition=models.Q(state="proposed"))]

    def __str__(self) -> str:
        return f"{self.first} and {self.second}"
