"""List and name the languages of lead forms, such as `en_US`."""

from django.utils.translation import get_language_info

from accounts.models import Agency

MAX_COUNT = 30


def languages_of(agency: Agency) -> list[str]:
    """Return the languages of the forms that the agency's leads came from.

    Each language costs one index look-up, however many leads there are.
    """
    found: list[str] = []
    while len(found) < MAX_COUNT:
        later = agency.leads.filter(creation_locale__gt=found[-1] if found else "").order_by("creation_locale")
        language = later.values_list("creation_locale", flat=True).first()
        if language is None:
            break
        found.append(language)
    return found


def language_name(locale: str) -> str:
    """Return a readable name, such as `German (DE)` for `de_DE`."""
    language, _, country = locale.partition("_")
    try:
        name = str(get_language_info(f"{language}-{country}".lower().strip("-"))["name"])
    except KeyError:
        return locale
    return f"{name} ({country})" if country else name
