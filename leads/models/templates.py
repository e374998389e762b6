"""Define templates: texts with fields, which a lead's values fill."""

from functools import partial

from django.db import models

from accounts.core.ids import new_id
from accounts.models import Agency
from leads.enums import TemplateChannel

MAX_SUBJECT_LENGTH = 200
MAX_TEXT_LENGTH = 8_000


class MessageTemplate(models.Model):
    """Store a text that is written to many leads. `leads.sequences.placeholders` reads its fields."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "tpl"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="message_templates")
    name = models.CharField(max_length=120)
    channel = models.CharField(max_length=16, choices=[(channel, channel.value) for channel in TemplateChannel])
    subject = models.CharField(max_length=MAX_SUBJECT_LENGTH, blank=True, help_text="Of e-mails alone.")
    text = models.TextField(max_length=MAX_TEXT_LENGTH)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "name"], name="template_name_once_per_agency")]

    def __str__(self) -> str:
        return self.name
