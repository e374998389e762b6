from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0012_member_availability'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='also_for',
            field=models.JSONField(editable=False, help_text='Ids of channels that get it too, whatever they listen to.', null=True),
        ),
    ]
