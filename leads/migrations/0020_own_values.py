import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('leads', '0019_target_lists'),
    ]

    operations = [
        migrations.CreateModel(
            name='OwnValues',
            fields=[
                ('lead', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='own_values', serialize=False, to='leads.lead')),
                ('own', models.JSONField(help_text='What it held when the first record was merged, and was reported of it since.')),
                ('later', models.JSONField(default=dict, help_text='What was written on the lead as it is shown. It wins.')),
                ('shown', models.JSONField(default=dict, help_text='What the lead showed when it was put together last.')),
            ],
        ),
        migrations.AddField(
            model_name='lead',
            name='has_records',
            field=models.BooleanField(db_default=False, default=False, editable=False, help_text='Records were merged into it.'),
        ),
        migrations.AddField(
            model_name='leadmerge',
            name='linkedin_key',
            field=models.CharField(blank=True, db_default='', editable=False, help_text="The record's own.", max_length=500),
        ),
    ]
