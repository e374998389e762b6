
import accounts.core.ids
import django.db.models.deletion
import functools
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0007_view_portal"),
    ]

    operations = [
        migrations.CreateModel(
            name='Calendar',
            fields=[
                ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('cal',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('timezone', models.CharField(max_length=64)),
                ('week', models.JSONField(default=dict)),
                ('always_open', models.BooleanField(default=False)),
                ('is_default', models.BooleanField(default=False)),
                ('version', models.PositiveIntegerField(default=1, help_text='How often the hours were saved.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calendars', to='accounts.agency')),
            ],
        ),
        migrations.CreateModel(
            name='CalendarException',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(blank=True, max_length=120)),
                ('first', models.DateField()),
                ('last', models.DateField()),
                ('working', models.BooleanField(default=False)),
                ('blocks', models.JSONField(blank=True, default=list)),
                ('calendar', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exceptions', to='accounts.calendar')),
            ],
            options={
                'ordering': ['first', 'id'],
            },
        ),
        migrations.AddConstraint(
            model_name='calendar',
            constraint=models.UniqueConstraint(fields=('agency', 'name'), name='calendar_name_once_per_agency'),
        ),
        migrations.AddConstraint(
            model_name='calendar',
            constraint=models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('agency',), name='calendar_one_default'),
        ),
    ]
