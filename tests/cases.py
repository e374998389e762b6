"""One test for many cases in one world: what a case changes is undone before the next."""

from collections.abc import Callable, Iterable
from inspect import Signature, signature
from typing import Any

from django.db import transaction

Test = Callable[..., None]


def one_by_one(names: str, cases: Iterable[Any]) -> Callable[[Test], Test]:
    """Stand in for pytest's `parametrize` where the world of a case costs more than the case. All cases are tried, and
    those that fail are raised together."""
    arguments = names.split(", ")

    def decorate(test: Test) -> Test:
        def run(**fixtures: Any) -> None:
            failures: list[Exception] = []
            for case in cases:
                given = dict(zip(arguments, case if len(arguments) > 1 else (case,), strict=True))
                try:
                    with transaction.atomic():
                        test(**given, **fixtures)
                        transaction.set_rollback(True)
                except Exception as failure:
                    failure.add_note(f"Case: {given}")
                    failures.append(failure)
            if failures:
                raise ExceptionGroup(f"{len(failures)} cases fail", failures)

        run.__name__, run.__qualname__, run.__doc__ = test.__name__, test.__qualname__, test.__doc__
        run.__module__ = test.__module__
        fixtures = [one for name, one in signature(test).parameters.items() if name not in arguments]
        run.__signature__ = Signature(fixtures)  # type: ignore[attr-defined]
        return run

    return decorate
