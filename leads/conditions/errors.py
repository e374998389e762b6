"""Define the error by which a tree of conditions is refused."""

from accounts.core.errors import FieldError


class ConditionError(FieldError):
    """A tree that is no condition. `path` is the place in the tree: `all.1.value`."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__("conditions", f"{path}: {message}" if path else message)
        self.path = path
