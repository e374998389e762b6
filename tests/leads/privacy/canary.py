"""A person whose every word is found again wherever it was copied to."""

from typing import Any

ANSWERS: dict[str, Any] = {
    "First name": "Canaryfirst", "Last name": "Canarylast", "Work email": "canarymail@example.com",
    "Phone number": "+1 212 555 0199", "Job title": "Canarytitle", "Company name": "Canarycompany",
    "Industry": "Canaryindustry", "State/Province": "Canarystate", "Zip/Postal code": "CANARYZIP",
    "Comment": "Canarycomment",
}  # fmt: skip
LEAD_ID = "canary0urn-6"
NOTE = "Canarynote"
REPLY = "Canaryreply"
CANARIES = [*(str(value).lower() for value in ANSWERS.values()), "2125550199", LEAD_ID, NOTE.lower(), REPLY.lower()]
#: What members write about the person: a task, its outcome, a remark, how they answered.
TASK, OUTCOME, REMARK, HOW = "Canarytask", "Canaryoutcome", "Canaryremark", "Canaryhow"
WRITTEN = [word.lower() for word in (TASK, OUTCOME, REMARK, HOW)]


def found_in(text: str) -> list[str]:
    return [canary for canary in (*CANARIES, *WRITTEN) if canary in text.lower()]
