"""How a person wants the pages to look."""

from django.contrib.auth.models import User

from accounts.models.preference import Preference, Theme


def theme_of(user: User) -> Theme:
    """Return the theme that the person chose, else the system's."""
    try:
        return Theme(user.preference.theme)
    except Preference.DoesNotExist:
        return Theme.SYSTEM


def choose_theme(user: User, theme: Theme) -> None:
    """Keep the theme for this person, wherever they sign in."""
    Preference.objects.update_or_create(user=user, defaults={"theme": theme})
