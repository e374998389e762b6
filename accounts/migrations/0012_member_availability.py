import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0011_response_target'),
    ]

    operations = [
        migrations.AddField(
            model_name='member',
            name='alerts',
            field=models.JSONField(blank=True, db_default={}, default=dict, help_text='What they are mailed: `accounts.tenancy.member_alerts`.'),
        ),
        migrations.AddField(
            model_name='member',
            name='calendar',
            field=models.ForeignKey(blank=True, help_text='Working hours of their own; else those of their pool or the agency.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='members', to='accounts.calendar'),
        ),
        migrations.AddField(
            model_name='member',
            name='paused_until',
            field=models.DateTimeField(blank=True, help_text='They get no new leads until then.', null=True),
        ),
    ]
