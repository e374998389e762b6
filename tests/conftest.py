"""Two agencies everywhere: what one does, the other must never see."""

import gc
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from django.conf import UserSettingsHolder, settings
from django.contrib.auth.models import Permission, User
from django.core.cache import caches
from django.db import connection, models, transaction
from django.template import Context, RequestContext, Template
from django.test import Client, TransactionTestCase
from django.test.client import ClientHandler
from django.test.signals import template_rendered
from django.utils import timezone
from django.utils.safestring import SafeString
from pytest_django.fixtures import Settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from accounts.core.enums import EventType, Role
from accounts.events.outbox import record_event
from accounts.models import (
    Agency,
    Event,
    Heartbeat,
    Member,
)
from accounts.tasks import PURGE, SCHEDULER, WORKERS
from accounts.tenancy.agencies import create_agency
from accounts.tenancy.verified_email import mark_email_verified
from notifications.channels.service import create_channel
from notifications.models import Channel
from tests import backends
from tests.factories import make_everything
from tests.portal.browser import Browser
from tests.settings import SQLITE, TEMPLATE
from tests.staged_rows import no_statement_past_a_batch


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """SQLite's file is a copy of the template by now (PostgreSQL copies by itself); it goes with its folder."""
    return bool(TEMPLATE and SQLITE)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    if TEMPLATE and SQLITE:
        shutil.copy(TEMPLATE, connection.settings_dict["TEST"]["NAME"])


#: What migrations fill.
PRESERVED_TABLES = {"django_migrations", "django_content_type", "auth_permission"}


@pytest.fixture(autouse=True, scope="session")
def quick_emptying() -> Iterator[None]:
    """After a test with transactions of its own Django truncates every table and fills those of `KEPT` anew, for half a
    second on PostgreSQL. Deleting the few rows there are is enough, and asking once where they are."""

    @cache
    def quoted_names() -> dict[str, str]:
        tables = set(connection.introspection.django_table_names(only_existing=True)) - PRESERVED_TABLES
        return {table: connection.ops.quote_name(table) for table in sorted(tables)}

    def delete_rows(case: TransactionTestCase) -> None:
        names = quoted_names()
        filled = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {names[table]})" for table in names)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(filled)
            for (table,) in cursor.fetchall():
                cursor.execute(f"DELETE FROM {names[table]}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", delete_rows)
        yield


@pytest.fixture(autouse=True, scope="session")
def noted_pages(django_test_environment: None) -> Iterator[None]:
    """Django's test client keeps a copy of the context of every template, be it that of one <option>. Where tests look
    into a context, it is the page's: keep no other."""

    def render(template: Template, context: Context) -> SafeString:
        if context.template is template and isinstance(context, RequestContext):
            template_rendered.send(sender=template, template=template, context=context)
        return template.nodelist.render(context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "_render", render)
        yield


@pytest.fixture(autouse=True, scope="session")
def shared_middleware() -> Iterator[None]:
    """Every test client of Django's loads the middleware for itself. Let all use what one has loaded, but those of a
    test that has settings of its own."""
    load, shared = ClientHandler.load_middleware, ClientHandler()

    def borrow(handler: ClientHandler, is_async: bool = False) -> None:
        if isinstance(settings._wrapped, UserSettingsHolder):
            load(handler, is_async)
            return
        if shared._middleware_chain is None:  # type: ignore[attr-defined]
            load(shared)
        handler._middleware_chain = shared._middleware_chain  # type: ignore[attr-defined]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientHandler, "load_middleware", borrow)
        yield


@pytest.fixture(autouse=True)
def nothing_past_a_batch() -> Iterator[None]:
    with no_statement_past_a_batch():
        yield


@pytest.fixture
def agency(db: None) -> Agency:
    return create_agency(name="Northwind Outreach", company_id="fhRhvcLbntMZs3hVo5L4")[0]


@pytest.fixture
def stranger(db: None) -> Agency:
    return create_agency(name="Stranger & Sons", company_id="strangerCompany00001")[0]


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("staff", "staff@example.com", "correct horse battery")


@pytest.fixture
def fresh_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache in which nothing was counted yet. Clearing it would empty a Redis that others use as well."""
    monkeypatch.setattr(caches["default"], "key_prefix", f"leadline-test-{secrets.token_hex(4)}")


END_TO_END = "tests/e2e/"
#: What shares something dear, made once: a checkout's processes, a generated client.
TOGETHER = (END_TO_END, "tests/api/test_generated_client.py")


class _Scheduler(LoadScopeScheduling):
    """Any worker takes any next test function, but one takes all that share something dear."""

    def _split_scope(self, nodeid: str) -> str:
        shared = (place for place in TOGETHER if nodeid.startswith(place))
        return next(shared, nodeid.partition("[")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _Scheduler:
    config.option.loadscopereorder = False
    return _Scheduler(config, log)


def pytest_configure() -> None:
    """What is loaded stays: the garbage collector need not look at it again and again, neither while it is loaded."""
    gc.set_threshold(50_000)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest; with LEADLINE_DATABASE_TESTS_ONLY leave out what would be the same test again:
    what touches no database, what is marked `one_backend` or stands in `one_backend.txt`, and all but the first case of
    what is marked `once`. With LEADLINE_TURN leave out of the rest what is the other back end's turn."""
    items.sort(key=lambda item: not item.nodeid.startswith(END_TO_END))
    second, turn = os.environ.get("LEADLINE_DATABASE_TESTS_ONLY"), os.environ.get("LEADLINE_TURN")
    if not second and not turn:
        return
    selected: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    begun: set[str] = set()
    spared = backends.left_out()
    for item in items:
        function = item.nodeid.partition("[")[0]
        again = (
            not _uses_database(item)
            or item.get_closest_marker("one_backend")
            or function in spared
            or (function in begun and item.get_closest_marker("once"))
        )
        if again:
            elsewhere = bool(second)
        else:
            elsewhere = bool(turn) and not backends.is_turn_of(item, int(turn or 0) + bool(second))
        (left_out if elsewhere else selected).append(item)
        begun.add(function)
    config.hook.pytest_deselected(items=left_out)
    items[:] = selected


def _uses_database(item: pytest.Item) -> bool:
    """Itself, or as a fault test by the processes of a checkout."""
    fixtures = set(getattr(item, "fixturenames", ()))
    if item.get_closest_marker("fault") and "checkout" in fixtures:
        return True
    return item.get_closest_marker("django_db") is not None or bool(fixtures & {"db", "transactional_db"})


@pytest.fixture
def signed_in(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def onlooker(db: None) -> Client:
    """Staff with the right to look and no other."""
    user = User.objects.create_user("onlooker", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def beating(db: None) -> None:
    """All processes live, and retention runs."""
    for name in (*WORKERS.values(), SCHEDULER, PURGE):
        Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now()})


@pytest.fixture
def everything(agency: Agency, staff: User) -> dict[type[models.Model], Any]:
    return make_everything(agency, staff, text="Ann <b>Lee</b>")


@pytest.fixture
def sign_in(agency: Agency) -> Browser:
    """A browser of a new member with this role."""

    def sign_in(role: Role = Role.OWNER, *, of: Agency | None = None) -> Client:
        place = of or agency
        name = f"{role}@{place.pk[-6:]}.example.com"
        user = User.objects.filter(username=name).first() or User.objects.create_user(name, name, "correct horse")
        mark_email_verified(user, name)
        Member.objects.get_or_create(agency=place, user=user, defaults={"role": role})
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def loopback(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def webhook(agency: Agency, loopback: None) -> Callable[..., Channel]:
    """Make a webhook channel of the agency for a receiver's URL."""
    return lambda url, **fields: create_channel(agency, kind="webhook", url=url, **fields)[0]


@pytest.fixture
def happen(agency: Agency) -> Callable[..., Event]:
    """Let something happen at the agency."""

    def happen(event_type: EventType = EventType.LINKEDIN_DISCONNECTED, **fields: str) -> Event:
        return record_event(agency, event_type, **({"linkedin_account_name": "John Doe"} | fields))

    return happen
