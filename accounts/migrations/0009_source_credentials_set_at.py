from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_calendars'),
    ]

    operations = [
        migrations.AddField(
            model_name='source',
            name='credentials_set_at',
            field=models.JSONField(editable=False, help_text='Key → when it was set.', null=True),
        ),
    ]
