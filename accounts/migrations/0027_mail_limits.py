from typing import Any

from django.db import migrations, models

COMPLAINED = "The recipient reported our mail as unwanted."


def mark_complaints(apps: Any, schema_editor: Any) -> None:
    apps.get_model("accounts", "BouncedAddress").objects.filter(reason=COMPLAINED).update(complained=True)


class Migration(migrations.Migration):
    locking_is_safe = "Addresses without mail are few, and no webhook writes them."

    dependencies = [
        ('accounts', '0026_canonical_addresses'),
    ]

    operations = [
        migrations.AddField(
            model_name='bouncedaddress',
            name='complained',
            field=models.BooleanField(default=False, help_text='Its reader called our mail unwanted. No other mail lifts this.'),
        ),
        migrations.AlterField(
            model_name='bouncedaddress',
            name='email',
            field=models.CharField(help_text='In canonical form.', max_length=254, unique=True),
        ),
        migrations.RunPython(mark_complaints, migrations.RunPython.noop),
        migrations.CreateModel(
            name='MailCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='A keyed hash: it names no address.', max_length=64)),
                ('hour', models.DateTimeField()),
                ('count', models.PositiveIntegerField(default=0)),
            ],
            options={
                'indexes': [models.Index(fields=['hour'], name='mail_count_by_age')],
                'constraints': [models.UniqueConstraint(fields=('key', 'hour'), name='mail_count_once_per_hour')],
            },
        ),
    ]
