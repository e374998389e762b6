from django.db import models


class MailCount(models.Model):
    """The number of mails of one kind asked for within an hour, for one address or by one agency."""

    key = models.CharField(max_length=64, help_text="A keyed hash: it names no address.")
    hour = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "hour"], name="mail_count_once_per_hour")]
        indexes = [models.Index(fields=["hour"], name="mail_count_by_age")]

    def __str__(self) -> str:
        return f"{self.count} at {self.hour:%H:%M}"
