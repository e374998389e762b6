from django.db import migrations

from accounts.core.text_index import SampleTextIndex


class Migration(migrations.Migration):
    """Neither statement keeps others from writing. ANALYZE reads some hundred thousand rows of a large table."""

    dependencies = [("leads", "0002_reply_text")]
    operations = [SampleTextIndex("lead", "search_text")]
