from dataclasses import dataclass
from typing import Any, Self

from accounts.core.sentences import in_readers_language, stored
from accounts.core.wording import read_sentence


@dataclass(frozen=True, slots=True)
class ConnectionProblem:
    """What is wrong with a connection, and what a person does about it.

    `message` is in English: a sentence with its code and values, or a whole sentence that is marked for translation.
    """

    code: str
    message: str

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Self:
        return cls(row["code"], read_sentence(row.get("sentence"), row["message"]))

    def as_row(self) -> dict[str, Any]:
        return {"code": self.code, "message": str(self.message), "sentence": stored(self.message)}

    @property
    def words(self) -> str:
        """Return the message in the reader's language."""
        return in_readers_language(stored(self.message), self.message)
