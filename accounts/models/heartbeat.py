from django.db import models


class Heartbeat(models.Model):
    """The last sign of life of a process (`worker`, `scheduler`). `/readyz` and `doctor` read it."""

    name = models.CharField(primary_key=True, max_length=40)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"
