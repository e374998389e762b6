"""Write the addresses of e-mail channels in canonical form."""

from importlib import import_module
from typing import Any

from django.db import migrations

rewrite = import_module("accounts.migrations.0026_canonical_addresses").rewrite


def rewrite_channels(apps: Any, schema_editor: Any) -> None:
    rewrite(apps.get_model("notifications", "Channel").objects.filter(kind="email").defer("url", "headers"))


class Migration(migrations.Migration):
    atomic = False
    locking_is_safe = "Each row that changes is a transaction of its own, and channels are few."
    dependencies = [("accounts", "0026_canonical_addresses"), ("notifications", "0010_digest_at")]
    operations = [migrations.RunPython(rewrite_channels, migrations.RunPython.noop)]
