"""Keep the brand of an agency, and say how its mails and pages look."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop

from accounts.core.colours import BLACK, WHITE, edge_between, is_colour, readable_on
from accounts.core.errors import FieldError
from accounts.core.images import NotAnImage, read_image
from accounts.core.text import safe_line
from accounts.models import Agency, Brand, BrandLogo
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor

MAX_SENDER_LENGTH = 60
#: Whose names no sender may bear.
RESERVED_NAMES = ("linkedin", "leadline")
LOGO_HEIGHT = 40  # how high mails and pages show it at most
LOGO_WIDTH = 200
DEFAULT_COLOUR = "#0b5f5a"  # that of Leadline's own buttons


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How mails and pages of an agency look. Without a colour of its own buttons are Leadline's."""

    name: str
    sender: str
    colour: str = ""
    on_colour: str = ""
    edge: str = ""
    dark_edge: str = ""
    logo_path: str = ""
    logo_width: int = 0
    logo_height: int = 0

    @property
    def logo_url(self) -> str:
        """Return the absolute address of the logo, for mails."""
        return f"{settings.PUBLIC_URL}{self.logo_path}" if self.logo_path else ""


#: The look of mails to Leadline's own staff.
LEADLINE = Look(name="Leadline", sender="Leadline")


def look_of(agency: Agency) -> Look:
    """Return an agency's name, logo and colours as mails and pages show them.

    Make no query if the agency was loaded with `select_related("brand")`.
    """
    name = safe_line(agency.name)
    default_sender = gettext("%(agency)s via Leadline") % {"agency": name[:MAX_SENDER_LENGTH]} if name else "Leadline"
    try:
        brand = agency.brand
    except ObjectDoesNotExist:
        return Look(name=name or "Leadline", sender=default_sender)
    width, height = _shown_size(brand.logo_width, brand.logo_height)
    return Look(
        name=safe_line(brand.sender_name) or name or "Leadline",
        sender=safe_line(brand.sender_name) or default_sender,
        logo_path=reverse("brand_logo", args=[brand.logo_digest]) if brand.logo_digest else "",
        logo_width=width,
        logo_height=height,
        **colours_of(brand.colour),
    )


def colours_of(colour: str) -> dict[str, str]:
    """Return a button's colours: the given one, that of its text, and of its edge on a light and a dark page."""
    if not is_colour(colour):
        return {}
    return {
        "colour": colour,
        "on_colour": readable_on(colour),
        "edge": edge_between(colour, WHITE),
        "dark_edge": edge_between(colour, BLACK),
    }


@transaction.atomic
def update_brand(
    agency: Agency,
    *,
    sender_name: str,
    colour: str,
    logo: bytes | None = None,
    remove_logo: bool = False,
    by: Actor | None = None,
) -> Brand:
    """Change the brand of an agency. `logo` replaces the logo, None keeps it. Raises FieldError."""
    values: dict[str, Any] = {"sender_name": _checked_name(sender_name), "colour": _checked_colour(colour)}
    brand, _new = Brand.objects.select_for_update().get_or_create(agency=agency)
    changed = sorted(name for name, value in values.items() if getattr(brand, name) != value)
    for name in changed:
        setattr(brand, name, values[name])
    if logo is not None:
        _set_logo(brand, logo)
        changed.append("logo")
    elif remove_logo and brand.logo_digest:
        BrandLogo.objects.filter(brand=brand).delete()
        brand.logo_digest, brand.logo_width, brand.logo_height = "", 0, 0
        changed.append("logo removed")
    brand.save()
    if changed:
        audit.log_change(by, agency, gettext_noop("Brand changed"), ", ".join(changed).replace("_", " "))
    return brand


def find_logo(digest: str) -> BrandLogo | None:
    return BrandLogo.objects.filter(digest=digest).first()


def _set_logo(brand: Brand, content: bytes) -> None:
    try:
        image = read_image(content)
    except NotAnImage as refusal:
        raise FieldError("logo", str(refusal)) from None
    digest = hashlib.sha256(content).hexdigest()
    values = {"digest": digest, "content_type": image.content_type, "content": content}
    BrandLogo.objects.update_or_create(brand=brand, defaults=values)
    brand.logo_digest, brand.logo_width, brand.logo_height = digest, image.width, image.height


def _checked_name(text: str) -> str:
    name = safe_line(text)
    if len(name) > MAX_SENDER_LENGTH:
        raise FieldError("sender_name", gettext("Use at most 60 characters."))
    if "@" in name or any(word in name.casefold() for word in RESERVED_NAMES):
        raise FieldError(
            "sender_name", gettext("Use your own name, without an address and without “LinkedIn” or “Leadline”.")
        )
    return name


def _checked_colour(text: str) -> str:
    colour = text.strip().lower()
    if colour and not is_colour(colour):
        raise FieldError("colour", gettext("Enter a colour such as #0b5f5a."))
    return "" if colour == DEFAULT_COLOUR else colour


def _shown_size(width: int, height: int) -> tuple[int, int]:
    """Return the size at which a logo is shown: as it is, or shrunk to fit."""
    if not width or not height:
        return 0, 0
    scale = min(1.0, LOGO_WIDTH / width, LOGO_HEIGHT / height)
    return max(1, round(width * scale)), max(1, round(height * scale))
