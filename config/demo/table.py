"""Format the table at the end of `make demo`."""

from collections.abc import Sequence

from config.demo.runner import StepResult

HEADINGS = ("", "provider", "they sent", "answer", "receipt", "it became", "events", "mails", "webhooks", "look at it")


def table(results: Sequence[StepResult], base_url: str) -> str:
    rows = [HEADINGS, *(_row(each) for each in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(["", f"What became of each request (links are below {base_url}):", "", *lines])


def _row(each: StepResult) -> tuple[str, ...]:
    return (
        "!" if each.faults else "✓",
        each.provider,
        each.title,
        each.answer,
        each.receipt or "–",
        each.state,
        ", ".join(each.events) or "–",
        f"{each.mails} +{each.later_mails}" if each.later_mails else str(each.mails),
        str(each.webhooks),
        each.link,
    )
