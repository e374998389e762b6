"""Who reads Leadline in which language, and what the German catalogue has."""

import gettext
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from accounts.core.enums import Role
from accounts.core.markup import duration, relative
from accounts.models import Agency, Preference
from tests.catalogues import Entry, marked_in, read
from tests.portal.browser import Browser

pytestmark = pytest.mark.one_backend

GERMAN = Path(settings.LOCALE_PATHS[0]) / "de" / "LC_MESSAGES" / "django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|</?(?:a|b|strong|em|code|q)\b")


def language_of(client: Client, path: str, accepted: str = "") -> str:
    response = client.get(path, headers={"Accept-Language": accepted} if accepted else {})
    match = re.search(r'<html lang="([^"]*)"', response.content.decode())
    assert match, path
    return match[1]


def choose(client: Client, language: str) -> None:
    assert client.post("/language", {"language": language, "next": "/leads"})["Location"] == "/leads"


def test_a_person_reads_the_language_they_chose_wherever_they_sign_in(agency: Agency, sign_in: Browser) -> None:
    client = sign_in(Role.READ_ONLY)
    assert language_of(client, "/leads", "de") == "en"
    choose(client, "de")
    other = sign_in(Role.READ_ONLY)
    for path in ("/", "/leads", "/accounts/password/change/"):
        assert language_of(other, path) == "de", path
    choose(other, "xx")
    assert Preference.objects.get().language == "de"
    assert language_of(sign_in(Role.OWNER), "/leads") == "en"


@pytest.mark.parametrize(("locale", "language"), [("de-DE", "de"), ("de_CH", "de"), ("en-GB", "en"), ("fr-FR", "en")])
def test_who_chose_no_language_reads_that_of_the_agency_if_there_is_a_translation(
    locale: str, language: str, agency: Agency, sign_in: Browser
) -> None:
    Agency.objects.filter(pk=agency.pk).update(locale=locale)
    client = sign_in(Role.OWNER)
    assert language_of(client, "/leads", "de") == language
    choose(client, "en")
    assert language_of(client, "/leads", "de") == "en"


@pytest.mark.parametrize(("accepted", "language"), [("de-AT,de;q=0.9", "de"), ("fr, en;q=0.5", "en"), ("", "en")])
def test_who_is_signed_out_reads_the_language_of_the_browser(accepted: str, language: str, db: None) -> None:
    assert language_of(Client(), "/accounts/login/", accepted) == language
    assert "Accept-Language" in Client().get("/accounts/login/")["Vary"]


def test_the_back_office_and_the_api_are_english_for_everybody(signed_in: Client, staff: User) -> None:
    choose(signed_in, "de")
    assert language_of(signed_in, "/") == "de"
    for path in ("/admin/", "/api/v1/docs"):
        assert language_of(signed_in, path, "de").startswith("en"), path
    problem = Client().get("/api/v1/leads", headers={"Accept-Language": "de"}).json()
    assert problem["title"] == "Unauthorized"


def test_signing_out_ends_the_choice_of_a_language(agency: Agency, sign_in: Browser) -> None:
    assert Client().post("/language", {"language": "de"}).status_code == 302
    assert not Preference.objects.exists()


def test_times_are_written_as_the_language_does(agency: Agency) -> None:
    with translation.override("de"):
        assert relative(timedelta(days=3)) == "vor 3 Tagen"
        assert relative(-timedelta(hours=1)) == "in 1 Stunde"
        assert duration(timedelta(days=3)) == "3 Tage"
    assert relative(timedelta(days=3)) == "3 days ago"


def test_every_text_has_a_german_one_with_the_same_placeholders() -> None:
    entries = list(read(GERMAN))
    assert not [entry.text for entry in entries if entry.fuzzy]
    assert not [entry.text for entry in entries if not entry.translations or not all(entry.translations)]
    assert not [entry.text for entry in entries if not has_same_placeholders(entry)]
    assert len({(entry.context, entry.text) for entry in entries}) == len(entries)


def has_same_placeholders(entry: Entry) -> bool:
    wanted = sorted(PLACEHOLDER.findall(entry.plural or entry.text))
    return all(sorted(PLACEHOLDER.findall(text)) == wanted for text in entry.translations[-1:])


def test_what_is_compiled_is_what_the_catalogue_says() -> None:
    with GERMAN.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    def said(entry: Entry) -> list[str]:
        if entry.plural:
            return [compiled.ngettext(entry.text, entry.plural, number) for number in (1, 2)]
        return [compiled.pgettext(entry.context, entry.text) if entry.context else compiled.gettext(entry.text)]

    entries = list(read(GERMAN))
    assert not [entry.text for entry in entries if said(entry) != entry.translations]
    assert len(entries) > 20


def test_every_text_that_is_marked_is_in_the_catalogue() -> None:
    """Who adds one runs `make messages` and writes its German."""
    root = Path(settings.BASE_DIR)
    kept = {entry.text for entry in read(GERMAN)}
    paths = [
        *(
            path
            for app in ("accounts", "config", "leads", "notifications", "webhooks")
            for path in root.glob(f"{app}/**/*.py")
        ),
        *(path for kind in ("html", "txt") for path in (root / "templates").glob(f"**/*.{kind}")),
    ]
    ours = [
        path for path in paths if not {"admin", "api", "demo", "seeding", "static"} & set(path.relative_to(root).parts)
    ]
    missing = {text: path.name for path in ours for text in marked_in(path) if text and text not in kept}
    assert missing == {}
    assert len(ours) > 300
