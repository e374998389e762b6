from django.db import models

from accounts.models import Member


class SavedFilter(models.Model):
    """A list of leads that a member comes back to: the filters of its address, under a name."""

    id = models.BigAutoField(primary_key=True)
    member = models.ForeignKey(Member, models.CASCADE, related_name="lead_filters")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=1000, help_text="The address's query, without words that are searched for.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "name"], name="saved_filter_once_per_name")]

    def __str__(self) -> str:
        return self.name
