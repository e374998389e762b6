"""Make LinkedIn's subscriptions what a source wants."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.core.jobs import restart
from accounts.models import Source
from accounts.providers.linkedin import Api, ErrorKind, LinkedInError, encode_value
from leads import wakeups
from leads.models import LeadSync, Subscription

OURS = f"{settings.PUBLIC_URL}/webhooks/"
PAGE = 100
#: Errors that concern one owner's leads and leave the others' alone.
OF_ONE_OWNER = frozenset({ErrorKind.REFUSED, ErrorKind.FORBIDDEN, ErrorKind.NOT_FOUND})
MAX_PAGES = 20  # LinkedIn allows 1,500 subscriptions an owner
OWNER_KINDS = {"urn:li:sponsoredAccount:": "sponsoredAccount", "urn:li:organization:": "organization"}
ENTITY_KINDS = {
    "urn:li:event:": "event",
    "urn:li:sponsoredCreative:": "sponsoredCreative",
    "urn:li:organization:": "organization",
    "urn:li:organizationBrand:": "organizationBrand",
    "urn:li:organizationProduct:": "organizationProduct",
}


@transaction.atomic
def want(source: Source, wanted: Sequence[Mapping[str, str]]) -> LeadSync:
    """Set which leads LinkedIn is to notify a source of: `owner, lead_type, form, entity` each. Return its connection,
    whose check is due now: it asks LinkedIn for that."""
    sync, _ = LeadSync.objects.get_or_create(source=source)
    keys = {tuple(row.get(name) or "" for name in ("owner", "lead_type", "form", "entity")) for row in wanted}
    for owner, lead_type, form, entity in sorted(keys):
        Subscription.objects.update_or_create(
            sync=sync, owner=owner, lead_type=lead_type, form=form, entity=entity, defaults={"wanted": True}
        )
    for row in sync.subscriptions.all():
        if (row.owner, row.lead_type, row.form, row.entity) not in keys:
            row.wanted = False
            row.save(update_fields=["wanted"])
    restart(LeadSync.objects.filter(pk=sync.pk))
    transaction.on_commit(wakeups.wake_up, robust=True)
    return sync


def reconcile(sync: LeadSync, api: Api) -> list[str]:
    """Make LinkedIn's subscriptions what the source wants. Return the addresses of others that get the same leads.

    Raises LinkedInError where nothing can be done now. What LinkedIn refuses of one is stored in its row.
    """
    foreign: set[str] = set()
    rows = list(sync.subscriptions.all())
    kept = {row.pk for row in rows if row.wanted}
    for owner, lead_type in sorted({(row.owner, row.lead_type) for row in rows}):
        try:
            actual = list(_actual(api, owner, lead_type))
        except LinkedInError as error:
            if error.kind not in OF_ONE_OWNER:
                raise
            sync.subscriptions.filter(owner=owner, lead_type=lead_type).update(error=_words(error))
            continue
        ours = {_key(row): row for row in actual if row.get("webhook") == sync.source.webhook_url}
        foreign |= {url for row in actual if not (url := str(row.get("webhook"))).startswith(OURS)}
        for row in rows:
            if (row.owner, row.lead_type) == (owner, lead_type):
                _match(sync, api, row, ours.get((row.form, row.entity)))
    Subscription.objects.filter(sync=sync, wanted=False).exclude(pk__in=kept).filter(external_id="").delete()
    return sorted(foreign)


def _match(sync: LeadSync, api: Api, row: Subscription, actual: Mapping[str, Any] | None) -> None:
    row.external_id = str(actual["id"])[:64] if actual else ""
    row.error = ""
    try:
        if row.wanted and not actual:
            row.external_id = api.create("leadNotifications", _body(sync.source, row))[:64]
        elif not row.wanted and actual:
            api.delete(f"leadNotifications/{encode_value(row.external_id)}")
            row.external_id = ""
    except LinkedInError as error:
        if error.kind not in OF_ONE_OWNER:
            raise
        row.error = _words(error)
    row.seen_at = timezone.now() if row.external_id else row.seen_at
    row.save(update_fields=["external_id", "error", "seen_at"])


def _words(error: LinkedInError) -> str:
    """Return an error in LinkedIn's own words, where they say more than that it refused."""
    return (error.detail if error.kind is ErrorKind.REFUSED and error.detail else str(error))[:300]


def _actual(api: Api, owner: str, lead_type: str) -> Iterator[Mapping[str, Any]]:
    query = f"q=criteria&owner=(value:({owner_kind(owner)}:{encode_value(owner)}))&leadType=(leadType:{lead_type})"
    seen = 0
    for _ in range(MAX_PAGES):
        page = api.page("leadNotifications", f"{query}&count={PAGE}&start={seen}")
        yield from page.rows
        seen += page.length
        if page.is_last(seen, PAGE):
            return


def _body(source: Source, row: Subscription) -> dict[str, Any]:
    body: dict[str, Any] = {
        "webhook": source.webhook_url,
        "owner": {owner_kind(row.owner): row.owner},
        "leadType": row.lead_type,
    }
    if row.form:
        body["versionedForm"] = row.form
    if row.entity:
        body["associatedEntity"] = {_kind(row.entity, ENTITY_KINDS): row.entity}
    return body


def _key(actual: Mapping[str, Any]) -> tuple[str, str]:
    entity = actual.get("associatedEntity")
    urns = [urn for urn in entity.values() if isinstance(urn, str)] if isinstance(entity, dict) else []
    return "".join(str(actual.get("versionedForm") or "").split()), next(iter(urns), "")


def owner_kind(owner: str) -> str:
    """Return the key under which LinkedIn names an owner: `sponsoredAccount` or `organization`."""
    return _kind(owner, OWNER_KINDS)


def _kind(urn: str, kinds: Mapping[str, str]) -> str:
    return next((kind for prefix, kind in kinds.items() if urn.startswith(prefix)), "organization")
