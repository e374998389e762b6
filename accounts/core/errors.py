"""What services refuse. Pages, back office and API each turn it into their own form in one place."""


class FieldError(ValueError):
    """Refuse a value. `field` names what is wrong with it ("": the whole); the message is for people."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class StateError(FieldError):
    """Refuse an action because of how the object is, whatever the values (the API's 409)."""
