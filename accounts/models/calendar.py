"""Define the calendars that hold working hours, and their dated exceptions."""

from functools import partial

from django.db import models

from accounts.core.ids import new_id
from accounts.models.agency import Agency


class Calendar(models.Model):
    """Working hours of an agency, a group of people, or one of them.

    `week` maps `mon` to `sun` to blocks of local time: `{"mon": [["09:00", "12:00"], ["13:00", "17:00"]]}`. A block
    whose end is not after its start ends on the next day.
    """

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "cal"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="calendars")
    name = models.CharField(max_length=120)
    timezone = models.CharField(max_length=64)
    week = models.JSONField(default=dict)
    always_open = models.BooleanField(default=False)
    is_default = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1, help_text="How often the hours were saved.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agency", "name"], name="calendar_name_once_per_agency"),
            models.UniqueConstraint(
                fields=["agency"], name="calendar_one_default", condition=models.Q(is_default=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CalendarException(models.Model):
    """Days that lose working time, or with `working` gain it. Without blocks a day loses all of it."""

    id = models.BigAutoField(primary_key=True)
    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="exceptions")
    name = models.CharField(max_length=120, blank=True)
    first = models.DateField()
    last = models.DateField()
    working = models.BooleanField(default=False)
    blocks = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["first", "id"]

    def __str__(self) -> str:
        return self.name or self.first.isoformat()
