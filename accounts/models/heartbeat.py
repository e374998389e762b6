from django.db import models


class Heartbeat(models.Model):
    """When a process (`worker`, `scheduler`) last said that it lives; `/readyz` and `doctor` read it."""

    name = models.CharField(primary_key=True, max_length=40)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"
