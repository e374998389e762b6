"""The portal in German: no English word is left on any page."""

import re
from functools import cache
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.utils import translation

from accounts.core.enums import Role
from accounts.models import Agency
from leads.models import LeadScore, MessageTemplate, RuleSetVersion, ScoringRule
from tests.catalogues import read
from tests.config.test_languages import GERMAN
from tests.factories import Everything
from tests.portal.browser import Browser
from tests.portal.routes import ROUTES, Route, same, walk

PAGES = [route for route in ROUTES if not route.post and route.status == 200]
SHOWN_ATTRIBUTES = ("placeholder", "aria-label", "title", "alt", "data-label", "data-key-name", "data-copy")
WORD = re.compile(r"\b[A-Z]?[a-z]+\b")
#: Addresses and names of programs, within a text.
ADDRESS = re.compile(r"\S*[@/_]\S*|We-Link")
#: What is shown as programs, providers and the people of the tests wrote it.
UNTRANSLATED = {"code", "pre", "script", "style", "time", "option", "samp", "kbd", "textarea", "iframe"}
#: Words of names and of what the tests store, and German words that look English.
NAMES = {"first", "key", "team", "read", "hook", "do", "signature"}


class Words(HTMLParser):
    """What a page says to people, text by text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNTRANSLATED:
            self.open.append(tag)
        named = dict(attrs)
        self.texts += [named[name] or "" for name in SHOWN_ATTRIBUTES if name in named and tag != "time"]

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open and data.strip():
            self.texts.append(" ".join(data.split()))


@cache
def english_words() -> frozenset[str]:
    """Words of the English texts that occur in no German one."""
    entries = list(read(GERMAN))
    english = words_of(*(f"{entry.text} {entry.plural}" for entry in entries))
    german = words_of(*(text for entry in entries for text in entry.translations))
    return frozenset(english - german - NAMES)


def words_of(*texts: str) -> set[str]:
    return {word.lower() for text in texts for word in WORD.findall(text)}


def left_in(page: str) -> list[str]:
    return [text for text in Words(page).texts if words_of(ADDRESS.sub("", text)) & english_words()]


@pytest.mark.one_backend
def test_no_english_is_left_on_a_page(ours: Everything, sign_in: Browser) -> None:
    Agency.objects.filter(pk=ours.agency.pk).update(locale="de-DE")
    LeadScore.objects.all().delete()  # names of rules are the agency's own, in the language that it had
    ScoringRule.objects.update(name="Regel")
    RuleSetVersion.objects.update(subject="Regel", rules=[])
    MessageTemplate.objects.update(text="Hallo {{ name }}")
    client = sign_in(Role.OWNER)

    def english(route: Route) -> list[str]:
        answer = client.get(route.url(ours))
        if not answer.headers["Content-Type"].startswith("text/html"):
            return []  # a file: times in it are those of programs
        page = answer.content.decode()
        assert "<html" not in page or '<html lang="de"' in page, route
        return left_in(page)

    assert walk(PAGES, english) == same(PAGES, [])


def test_the_search_for_english_finds_it() -> None:
    assert left_in("<p>Leads</p><p title='Delivery log'>Everything was <code>delivered</code></p>") == [
        "Delivery log",
        "Everything was",
    ]
    assert dict(settings.LANGUAGES)["de"] == "Deutsch"
    assert translation.get_language() == "en-us"
