from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0004_stored_sentences'),
    ]

    operations = [
        migrations.AddField(
            model_name='channel',
            name='conditions',
            field=models.JSONField(blank=True, db_default={}, default=dict, help_text='Of leads, only those that fulfil them: `leads.conditions`.'),
        ),
    ]
