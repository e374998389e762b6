"""Show a service's refusal on a page: beside the form's field that it names, or as a message where no form is shown."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest

from accounts.core.errors import FieldError


def add_refusal(form: BaseForm, refusal: FieldError) -> None:
    """Add a refusal to the errors of a form: at its field, or at the whole form if the form has no such field."""
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))


@contextmanager
def refusals_on(form: BaseForm) -> Iterator[None]:
    """Add the FieldError that a service raises in the block to the form's errors. Continue after the block."""
    try:
        yield
    except FieldError as refusal:
        add_refusal(form, refusal)


@contextmanager
def refusals_as_messages(request: HttpRequest) -> Iterator[None]:
    """Show the FieldError that a service raises in the block on the next page. Continue after the block."""
    try:
        yield
    except FieldError as refusal:
        messages.error(request, str(refusal))
