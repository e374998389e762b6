"""Record installs: whether the app is installed at a sub-account, as HighLevel and LinkedConnector report it."""

from typing import Any

from django.db import transaction

from accounts.core.enums import EventType
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events import outbox as events
from accounts.events.ordering import Origin, is_newer
from accounts.models import Account, Agency, SubAccount
from accounts.services.reports import disconnect_for_uninstall
from accounts.sources.service import get_or_create_sub_account


@transaction.atomic(savepoint=False)
def report_install(
    agency: Agency,
    *,
    location_id: str,
    origin: Origin,
    passed_on: bool,
    installer_name: str = "",
    installer_email: str = "",
    ghl_user_id: str = "",
    work: UnitOfWork = AT_ONCE,
) -> None:
    """Record that the app was installed at a location. Without a location it is the whole agency, which has no row to
    change."""
    details: dict[str, str] = {
        "installer_name": installer_name,
        "installer_email": installer_email,
        "ghl_user_id": ghl_user_id,
    }
    if not location_id:
        return _record_install_event(agency, EventType.INSTALL, origin=origin, location=None, work=work, **details)
    location = _lock_location(agency, location_id, work)
    changed = False
    if is_newer(origin, location):
        changed = not location.installed
        location.installed, location.installed_at, location.uninstalled_at = True, origin.at, None
        location.reported_at, location.reported_sequence = origin.order
        for name, value in details.items():
            if value:
                setattr(location, name, value)
        location.save()
    if changed or passed_on:
        _record_install_event(agency, EventType.INSTALL, origin=origin, location=location, work=work, **details)
    return None


@transaction.atomic(savepoint=False)
def report_uninstall(
    agency: Agency, *, location_id: str, origin: Origin, passed_on: bool, work: UnitOfWork = AT_ONCE
) -> None:
    """Record that the app was removed from a location, or without one from all of the agency's. Record one event in
    all."""
    if location_id:
        locations = [_lock_location(agency, location_id, work)]
        first_report = locations[0].reported_at is None
    else:
        work.bypass()
        locations = list(agency.sub_accounts.select_for_update().filter(installed=True).order_by("id"))
        first_report = True
    changed = first_report
    for location in locations:
        changed = _uninstall(location, origin=origin, work=work) or changed
    if changed or passed_on:
        _record_install_event(
            agency, EventType.UNINSTALL, origin=origin, location=locations[0] if location_id else None, work=work
        )


def _uninstall(location: SubAccount, *, origin: Origin, work: UnitOfWork) -> bool:
    """Mark the location as uninstalled and disconnect its accounts. Return whether that changed anything."""
    if not is_newer(origin, location):
        return False
    changed = location.installed
    location.installed, location.uninstalled_at = False, origin.at
    location.reported_at, location.reported_sequence = origin.order
    location.save()
    work.flush(Account)
    for account in Account.objects.filter(sub_account=location).order_by("id"):
        disconnect_for_uninstall(account, origin=origin, work=work)
    return changed


def _lock_location(agency: Agency, location_id: str, work: UnitOfWork) -> SubAccount:
    work.bypass()
    return SubAccount.objects.select_for_update().get(pk=get_or_create_sub_account(agency, location_id).pk)


def _record_install_event(
    agency: Agency,
    event_type: EventType,
    *,
    origin: Origin,
    location: SubAccount | None,
    work: UnitOfWork,
    **fields: Any,
) -> None:
    events.record_event(
        agency,
        event_type,
        subject=location.id if location else "",
        location_id=location.location_id if location else "",
        occurred_at=origin.at,
        receipt_id=origin.receipt_id,
        work=work,
        **fields,
    )
