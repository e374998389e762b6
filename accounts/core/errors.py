"""Define the errors by which services refuse a request. Pages, back office and API each show them in one place."""

from collections.abc import Sequence


class FieldError(ValueError):
    """A refused value. `field` names the wrong field ("" for the whole request); the message is for people."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class StateError(FieldError):
    """An action refused because of the object's state, whatever the values (the API's 409).

    `reasons` are codes and sentences that say why, if there are several.
    """

    def __init__(self, field: str, message: str, reasons: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(field, message)
        self.reasons = tuple(reasons)
