"""Store the brand of an agency, which mails and the page to reconnect an account show."""

from django.db import models

from accounts.models.agency import Agency


class Brand(models.Model):
    """How an agency looks to the people whom it asks to reconnect an account, and in mails."""

    agency = models.OneToOneField(Agency, models.CASCADE, primary_key=True, related_name="brand")
    sender_name = models.CharField(max_length=60, blank=True, help_text="Who mails come from. Empty: by its own name.")
    colour = models.CharField(max_length=7, blank=True, help_text="Of buttons, such as #0b5f5a. Empty: Leadline's.")
    logo_digest = models.CharField(max_length=64, blank=True, editable=False, help_text="SHA-256. Empty: no logo.")
    logo_width = models.PositiveSmallIntegerField(default=0, editable=False)
    logo_height = models.PositiveSmallIntegerField(default=0, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"brand of {self.agency_id}"


class BrandLogo(models.Model):
    """A logo, in the database: it needs no storage beside it, and every process and backup has it."""

    brand = models.OneToOneField(Brand, models.CASCADE, primary_key=True, related_name="logo")
    digest = models.CharField(max_length=64, db_index=True)
    content_type = models.CharField(max_length=20)
    content = models.BinaryField()

    def __str__(self) -> str:
        return self.digest[:12]
