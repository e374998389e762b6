"""Show what LinkedIn permits to one of its own connections, on the account's page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.core.enums import ProviderSlug
from accounts.core.markup import NOTHING, ago
from accounts.models import Account

PERMISSION: Any = ("Permission at LinkedIn", {"fields": ("token_ends", "signs_in_by", "heartbeat", "scopes")})


class LinkedInPermissionMixin:
    """Adds `PERMISSION` to the account's page."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out LinkedIn's permission on the pages of other providers' accounts."""
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]  # an admin's
        if obj is None or obj.provider == ProviderSlug.LINKEDIN:
            return fieldsets
        return [fieldset for fieldset in fieldsets if fieldset is not PERMISSION]

    @admin.display(description="access token ends")
    def token_ends(self, account: Account) -> str:
        return ago(account.token_expires_at)

    @admin.display(description="a person signs in again by")
    def signs_in_by(self, account: Account) -> str:
        return ago(account.refresh_expires_at)

    @admin.display(description="last proved good")
    def heartbeat(self, account: Account) -> str:
        return ago(account.last_heartbeat_at)

    @admin.display(description="granted scopes")
    def scopes(self, account: Account) -> str:
        return ", ".join(account.granted_scopes) or NOTHING
