"""Collect what the audit log calls the objects of changes, and which page shows each. Apps add theirs in
`AppConfig.ready`."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext


@dataclass(frozen=True, slots=True)
class Audited:
    """The objects of one model. `title` is a marked text; `view` names a URL that takes the id, or none."""

    title: str
    view: str = ""
    has_own_page: bool = True


_models: dict[str, Audited] = {}


def add_audited(model_name: str, title: str, view: str = "", *, has_own_page: bool = True) -> None:
    """Say what objects of a model are called, and where they are shown. Without a page of its own an object is shown on
    the list that `view` names."""
    _models[model_name] = Audited(title, view, has_own_page)


def title_of(model_name: str) -> str:
    known = _models.get(model_name)
    return gettext(known.title) if known else model_name.replace("_", " ")


def url_of(model_name: str, pk: str) -> str:
    """Return where an object is shown, or an empty text."""
    known = _models.get(model_name)
    if known is None or not known.view:
        return ""
    return reverse(known.view, args=[pk] if known.has_own_page else [])


def audited_models() -> list[tuple[str, str]]:
    """Return the models with their titles, for a choice."""
    return sorted(((name, gettext(one.title)) for name, one in _models.items()), key=lambda pair: pair[1])
