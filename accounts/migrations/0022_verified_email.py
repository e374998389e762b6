"""Mark the addresses that were proved until now: those whose invitation made the user or was accepted with them, those of
superusers, who were made on the server, and the demonstration's owner. All others stay unverified.

Where a user who came by an invitation has written another address without proving it, the invited one is theirs again
and the other one waits for its proof.
"""

from collections import Counter
from typing import Any

from django.db import migrations

DEMO_COMPANY = "fhRhvcLbntMZs3hVo5L4"


def mark_proved(apps: Any, schema_editor: Any) -> None:
    users, addresses = apps.get_model("auth", "User"), apps.get_model("account", "EmailAddress")
    invitations = apps.get_model("accounts", "Invitation").objects.filter(accepted_at__isnull=False)
    accepted = list(invitations.order_by("accepted_at").values_list("pk", "email", "agency_id"))
    proved: dict[int, str] = {}
    for pk, email, _ in accepted:  # the user that the invitation made
        made = users.objects.filter(username__in=[email[:150], pk]).first()
        if made is not None:
            proved.setdefault(made.pk, email)
    for _, email, agency in accepted:  # a member whose address never was another
        for user in users.objects.filter(email__iexact=email, memberships__agency=agency):
            if not addresses.objects.filter(user=user).exclude(email__iexact=email).exists():
                proved.setdefault(user.pk, email)
    for user in users.objects.filter(is_superuser=True).exclude(email=""):
        if not addresses.objects.filter(user=user).exclude(email__iexact=user.email).exists():
            proved.setdefault(user.pk, user.email)
    for user in users.objects.filter(memberships__agency__ghl_company_id=DEMO_COMPANY, email__endswith="@example.com"):
        if user.username == user.email:
            proved.setdefault(user.pk, user.email)
    claims = Counter(email.lower() for email in proved.values())
    for pk, email in proved.items():
        address = email.lower()
        taken = addresses.objects.filter(email=address, verified=True).exclude(user_id=pk).exists()
        if claims[address] > 1 or taken:
            continue
        user = users.objects.get(pk=pk)
        other = user.email.lower()
        addresses.objects.filter(user=user, primary=True).update(primary=False)
        addresses.objects.update_or_create(user=user, email=address, defaults={"verified": True, "primary": True})
        if other not in {"", address}:
            addresses.objects.get_or_create(user=user, email=other)
        addresses.objects.filter(user=user).exclude(email__in=[address, other]).delete()
        users.objects.filter(pk=pk).update(email=address)


class Migration(migrations.Migration):
    locking_is_safe = "users, addresses and invitations are few, and no webhook writes them"
    dependencies = [
        ("account", "0009_emailaddress_unique_primary_email"),
        ("accounts", "0021_provider_names"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunPython(mark_proved, migrations.RunPython.noop)]
