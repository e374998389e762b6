"""Define the errors that the stand-in answers with."""

from typing import Any


class Refusal(Exception):
    """An error in LinkedIn's words."""

    def __init__(self, status: int, message: str, *, service: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message, "status": status}
        self.body |= {"serviceErrorCode": service} if service else {}
        self.body |= {"code": code} if code else {}


class UndocumentedResponse(Exception):
    """A response in a form that LinkedIn does not document."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(body)
        self.status, self.body = status, body
