"""Everyday tasks at a believable agency, counted in the clicks that they take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.core.enums import Role
from accounts.models import Agency
from config.seeding import seed_agencies
from leads.rules import active
from leads.rules.kinds import rule_kinds
from leads.rules.service import delete_rule
from tests.conftest import PRESERVED_TABLES

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

ACCOUNTS, LEADS = 60, 800


@dataclass(frozen=True, slots=True)
class Seeded:
    """A seeded agency with its people, and a person of the back office."""

    agency: Agency
    owner: User
    manager: User
    reader: User
    staff: User


def take_back_team_work(agency: Agency) -> None:
    """Delete the rules, the pools and the working hours of a seeded agency, for a test that makes its own."""
    for kind in rule_kinds():
        for rule in kind.model._default_manager.filter(agency=agency):
            delete_rule(kind, rule)
    agency.pools.all().delete()
    agency.calendars.all().delete()


@dataclass(slots=True)
class Clicks:
    """A browser whose clicks are counted. `open` begins a task: what came before does not count.

    A press of a button, a link or a finger counts as one, and so does a key. A choice of a native select counts as two:
    one opens it, one chooses. Typing does not count, but what is typed into must have the focus by then.
    """

    visit: Visit
    url: str
    count: int = 0
    steps: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.visit.page

    @property
    def on_phone(self) -> bool:
        return self.visit.width < 600

    def sign_in(self, user: User) -> None:
        """Give the browser the session of a person."""
        client = Client()
        client.force_login(user)
        cookie = client.cookies["sessionid"]
        self.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.url}])

    def open(self, path: str = "/") -> None:
        """Begin a task on a page."""
        self.page.goto(f"{self.url}{path}")
        self.count = 0
        self.steps.clear()

    def click(self, what: Locator | str) -> None:
        """Click on an element, or on the only link or button of that name."""
        self._note(f"click {what}")
        self._find(what).click()

    def press(self, key: str) -> None:
        """Press a key that does or opens something."""
        self._note(f"press {key}")
        self.page.keyboard.press(key)

    def choose(self, field: Locator, label: str) -> None:
        """Choose an option of a native select by what people read."""
        self._note(f"open {field}")
        self._note(f"choose {label}")
        field.select_option(label=label)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        expect(self.page.locator("input:focus, textarea:focus")).to_have_count(1)
        self.page.keyboard.type(text)

    def look(self, name: str) -> None:
        """Take a picture of the page for people."""
        self.visit.look(name)

    def assert_at_most(self, target: int) -> None:
        """Fail if the task took more clicks than its target."""
        assert self.count <= target, f"{self.count} clicks instead of {target}: {', '.join(self.steps)}"

    def _note(self, step: str) -> None:
        self.count += 1
        self.steps.append(step)

    def _find(self, what: Locator | str) -> Locator:
        if isinstance(what, Locator):
            return what
        roles: tuple[Literal["link", "button"], ...] = ("link", "button")
        link, button = (self.page.get_by_role(role, name=what, exact=True) for role in roles)
        return link.or_(button)


@pytest.fixture
def seeded(transactional_db: None, request: pytest.FixtureRequest) -> Seeded:
    """One agency with 60 accounts and more than 800 leads, and nothing else. Made before there is a browser: both want
    the thread's event loop."""
    _fill()
    agency = Agency.objects.get()
    assert agency.accounts.count() == ACCOUNTS
    assert agency.leads.count() >= LEADS
    people = {member.role: member.user for member in agency.members.select_related("user").order_by("-id")}
    staff = request.getfixturevalue("staff")
    return Seeded(agency, people[Role.OWNER], people[Role.MANAGER], people[Role.READ_ONLY], staff)


@pytest.fixture
def clicks(seeded: Seeded, visit: Visit, live_server: LiveServer) -> Clicks:
    """A browser of the agency's owner, on the overview."""
    browser = Clicks(visit, live_server.url)
    browser.sign_in(seeded.owner)
    browser.open()
    return browser


#: Table --> its columns, and its rows as the database has them.
_copies: dict[str, tuple[list[str], list[Any]]] = {}


def _fill() -> None:
    """Seed the agency. That takes seconds: later tests of this process get a copy of the rows."""
    assert not User.objects.exists(), "Name `seeded` before fixtures that make people."
    active._cache.clear()  # a copy has the ids and the versions of the agency before
    if _copies:
        with transaction.atomic(), connection.cursor() as cursor:
            for table, (columns, rows) in _copies.items():
                values = ", ".join(["%s"] * len(columns))
                cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)
        return
    seed_agencies()
    quote = connection.ops.quote_name
    tables = set(connection.introspection.django_table_names(only_existing=True)) - PRESERVED_TABLES
    with connection.cursor() as cursor:
        for table in map(quote, sorted(tables)):
            cursor.execute(f"SELECT * FROM {table}")
            if rows := cursor.fetchall():
                _copies[table] = ([quote(column[0]) for column in cursor.description], rows)
