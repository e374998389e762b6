"""Link pages of the back office that belong to different apps. Each app adds its links in `AppConfig.ready`."""

from dataclasses import dataclass

from django.db.models import Model
from django.utils.safestring import SafeString

from accounts.core.markup import code, link_to, list_link, side_by_side


@dataclass(frozen=True, slots=True)
class ListLink:
    """A link from an object's page to a list of what belongs to it. `view` names the list (`leads_lead`). `filters`
    names the list's filters with the attribute of the object that each takes. A greater `position` stands further
    back."""

    view: str
    text: str
    position: int
    filters: dict[str, str]


_lists: dict[str, list[ListLink]] = {}
_pages: dict[str, str] = {}


def add_list_link(model: str, view: str, text: str, *, position: int, **filters: str) -> None:
    """Add a link to the page of every object of a model (`accounts.agency`): `account="pk", agency="agency_id"`."""
    _lists.setdefault(model, []).append(ListLink(view, text, position, filters))


def list_links(obj: Model) -> SafeString:
    """Return the links of an object's page, side by side."""
    links = sorted(_lists.get(obj._meta.label_lower, ()), key=lambda one: one.position)
    return side_by_side(
        *(
            list_link(one.view, one.text, **{name: getattr(obj, field) for name, field in one.filters.items()})
            for one in links
        )
    )


def add_subject_page(prefix: str, view: str) -> None:
    """Register the page that shows the objects whose ids begin with this prefix (`lead`: `leads_lead`)."""
    _pages[prefix] = view


def subject_link(public_id: str) -> SafeString | str:
    """Return a link to the page of the object with this id, of whichever app, or the id alone if no page shows it."""
    view = _pages.get(public_id.partition("_")[0])
    return link_to(view, public_id, public_id) if view else code(public_id)
