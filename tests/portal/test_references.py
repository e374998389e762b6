"""What a page's elements name by id is on the page: descriptions of fields, labels, targets of buttons."""

from html.parser import HTMLParser

import pytest
from django.test import Client

from accounts.core.enums import Role
from tests.factories import Everything
from tests.portal.browser import Browser
from tests.portal.routes import ROUTES

NAMING = ("aria-describedby", "aria-labelledby", "aria-controls", "for")
PAGES = [route for route in ROUTES if route.is_page]


class References(HTMLParser):
    """The ids of a page, and those that its elements name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.named: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.named |= {word for name in NAMING for word in (given.get(name) or "").split()}


def check(client: Client, path: str, data: dict[str, str] | None = None) -> References:
    answer = client.post(path, data) if data is not None else client.get(path)
    found = References(answer.content.decode())
    assert found.named - set(found.ids) == set(), path
    assert len(found.ids) == len(set(found.ids)), path
    return found


@pytest.mark.one_backend
def test_what_a_page_names_by_id_is_there_once(ours: Everything, sign_in: Browser) -> None:
    client = sign_in(Role.OWNER)
    for route in PAGES:
        check(client, route.url(ours))


def test_a_wrong_field_names_its_help_and_its_error(ours: Everything, sign_in: Browser) -> None:
    found = check(sign_in(Role.OWNER), "/keys", {"name": "", "lifetime": "30"})
    assert {"id_name_helptext", "id_name_error"} <= found.named
    found = check(sign_in(Role.OWNER), "/notifications/add/webhook", {"url": "ftp://example.com/", "listens": "all"})
    assert {"new-webhook-url_helptext", "new-webhook-url_error"} <= found.named
