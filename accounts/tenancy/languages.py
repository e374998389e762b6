"""Choose the locale of pages and mails: the person's language before the agency's, in formats that fit both."""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import translation

from accounts.core.email_addresses import email_key
from accounts.models import Agency
from accounts.models.preference import Preference

#: The locales of people who read another language than their agency. In most countries English has 24-hour clocks.
OTHER_LOCALES = {"en": "en-GB", "de": "de-DE"}
DEFAULT_LOCALES = {"en": "en-US", "de": "de-DE"}  # where no agency says in which country


def language_of(user: User) -> str:
    """Return the language that the person chose, or "" for that of their agency."""
    try:
        return user.preference.language
    except Preference.DoesNotExist:
        return ""


def choose_language(user: User, language: str) -> None:
    """Keep the language for this person, wherever they sign in."""
    Preference.objects.update_or_create(user=user, defaults={"language": language})


def languages_of_addresses(addresses: Iterable[str]) -> dict[str, str]:
    """Return the languages that people with these verified addresses chose, by the addresses in canonical form."""
    keys = {email_key(address) for address in addresses}
    verified = Q(user__emailaddress__email__in=keys, user__emailaddress__verified=True)
    rows = Preference.objects.filter(verified).exclude(language="") if keys else Preference.objects.none()
    return dict(rows.values_list("user__emailaddress__email", "language"))


def locale_of(agency: Agency, user: User | None = None) -> str:
    """Return the locale in which the person reads about the agency, such as `de-AT`; without a person, the agency's."""
    return locale_in(language_of(user) if user else "", agency)


def locale_in(language: str, agency: Agency) -> str:
    """Return the locale of a language at an agency: the agency's own if it is of that language or none is given."""
    return agency.locale if language in ("", language_in(agency.locale)) else OTHER_LOCALES[language]


def language_in(locale: str) -> str:
    """Return the language of a locale if texts are translated into it, else English."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in dict(settings.LANGUAGES) else "en"


def language_code_of(locale: str) -> str:
    """Return Django's name for the texts and formats of a locale: `en-gb`, `de-at`; English for an unknown one."""
    code = locale.replace("_", "-").lower()
    known = code.partition("-")[0] == language_in(locale) and translation.check_for_language(code)
    return code if known else language_in(locale)
