"""Show the brand of the agency and change it; serve its logo and its colours to whoever gets a mail or a link."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.core.colours import WHITE, is_colour
from accounts.core.images import MAX_BYTES
from accounts.models import Brand
from accounts.tenancy.brand import DEFAULT_COLOUR, MAX_SENDER_LENGTH, colours_of, find_logo, look_of, update_brand
from accounts.web.portal.access import MemberRequest, writers
from accounts.web.portal.views import redirect_back, render_page
from accounts.web.refusals import refusals_on

FOREVER = "public, max-age=31536000, immutable"
STYLE = """:is(.brand-mail, .reauth) .btn-primary {{
  --tblr-btn-bg: {colour}; --tblr-btn-color: {on_colour}; --tblr-btn-border-color: light-dark({edge}, {dark_edge});
  --tblr-btn-hover-bg: {colour}; --tblr-btn-hover-color: {on_colour}; --tblr-btn-active-bg: {colour};
  --tblr-btn-active-color: {on_colour}; --tblr-btn-hover-border-color: light-dark({edge}, {dark_edge});
  background: {colour}; color: {on_colour}; border-color: light-dark({edge}, {dark_edge});
}}
:is(.brand-mail, .reauth) .btn-primary:hover {{ box-shadow: inset 0 0 0 99rem {veil}; }}
"""


class BrandForm(forms.Form):
    sender_name = forms.CharField(
        required=False,
        max_length=MAX_SENDER_LENGTH,
        label=_("Sender name"),
        help_text=_("Whom mails come from. Empty: your agency's name “via Leadline”."),
    )
    colour = forms.CharField(
        required=False,
        max_length=7,
        label=_("Button colour"),
        help_text=_("The text on it becomes white or black, whichever can be read."),
        widget=forms.TextInput({"type": "color"}),
    )
    logo = forms.FileField(
        required=False,
        label=_("Logo"),
        help_text=_("PNG, JPEG or WebP, at most 256 KB. PNG is shown by every mail program."),
        widget=forms.FileInput({"accept": "image/png,image/jpeg,image/webp"}),
    )
    remove_logo = forms.BooleanField(required=False, label=_("Remove the logo"))

    def clean_logo(self) -> Any:
        logo = self.cleaned_data.get("logo")
        if logo is not None and (logo.size or 0) > MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than 256 KB."))
        return logo

    def values(self) -> dict[str, Any]:
        logo = self.cleaned_data["logo"]
        return {**self.cleaned_data, "logo": logo.read() if logo else None}


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def brand_page(request: MemberRequest) -> HttpResponse:
    brand = Brand.objects.filter(agency=request.agency).first() or Brand(agency=request.agency)
    shown = {"sender_name": brand.sender_name, "colour": brand.colour or DEFAULT_COLOUR}
    is_sent = request.method == "POST"
    form = BrandForm(request.POST if is_sent else None, request.FILES if is_sent else None, initial=shown)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            update_brand(request.agency, by=request.member.user, **form.values())
            messages.success(request, gettext("Brand saved."))
            return redirect_back(request, "portal_brand")
    return render_page(
        request,
        "portal/brand.html",
        "brand",
        status=422 if form.errors else 200,
        form=form,
        look=look_of(request.agency),
    )


@require_safe
def brand_logo(request: HttpRequest, digest: str) -> HttpResponse:
    """Serve a logo. Its address says what is in it, so that it never changes."""
    logo = find_logo(digest)
    if logo is None:
        raise Http404("There is no such logo.")
    response = HttpResponse(bytes(logo.content), content_type=logo.content_type)
    response["Cache-Control"] = FOREVER
    response["Content-Disposition"] = "inline"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # a mail program shows it on its own page
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
def brand_style(request: HttpRequest, colour: str) -> HttpResponse:
    """Serve the style of buttons in a colour: no page holds a style of its own."""
    if not is_colour(f"#{colour}"):
        raise Http404("That is no colour.")
    colours = colours_of(f"#{colour}")
    veil = "rgb(0 0 0 / 8%)" if colours["on_colour"] == WHITE else "rgb(255 255 255 / 15%)"
    response = HttpResponse(STYLE.format(**colours, veil=veil), content_type="text/css; charset=utf-8")
    response["Cache-Control"] = FOREVER
    return response
