"""Call a service as the last step of a form's validation, so that its refusal shows beside the field."""

from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.forms import ModelForm
from django.forms.models import ModelChoiceField

from accounts.core.errors import FieldError
from accounts.web.refusals import add_refusal


class ServiceForm(ModelForm):  # type: ignore[type-arg]
    """A form that adds (`instance.pk` is not saved yet) or changes an object through `apply`."""

    taken = "Another one has this already."
    #: The person who fills in the form, for the audit trail.
    by: ClassVar[User | None] = None

    def apply(self) -> Any:
        """Call the service with `cleaned_data` and return the object. May raise FieldError or another ValueError."""
        raise NotImplementedError

    @property
    def changes(self) -> dict[str, Any]:
        """Return the model's fields that the person changed, with their new values."""
        names = {field.name for field in self._meta.model._meta.fields}
        return {name: self.cleaned_data[name] for name in self.changed_data if name in names}

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.instance._state.adding:
            self._refuse_strangers()
        if self.errors or not self.has_changed():
            return
        try:
            with transaction.atomic():
                self.instance = self.apply()
        except IntegrityError:
            self.add_error(None, self.taken)
        except FieldError as refusal:
            add_refusal(self, refusal)
        except ValueError as refusal:
            self.add_error(None, str(refusal))

    def _refuse_strangers(self) -> None:
        """Refuse related objects of another agency."""
        for name, field in self.fields.items():
            chosen = self.cleaned_data.get(name)
            if isinstance(field, ModelChoiceField) and chosen is not None:
                owner = getattr(chosen, "agency_id", self.instance.agency_id)
                if owner != self.instance.agency_id:
                    self.add_error(name, "This belongs to another agency.")
