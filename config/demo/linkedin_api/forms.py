"""Make a form of LinkedIn's and the answers to its questions."""

from typing import Any

ACCOUNT, PAGE = "urn:li:sponsoredAccount:520866471", "urn:li:organization:5509810"
FORM = 7234246


def versioned(content: dict[str, Any]) -> str:
    return f"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:{content['id']},{content['versionId']})"


def answer_to(question: dict[str, Any], given: Any) -> dict[str, Any]:
    details = (
        {"multipleChoiceAnswer": {"options": given}}
        if isinstance(given, list)
        else {"textQuestionAnswer": {"answer": given}}
    )
    return {"answerDetails": details, "questionId": question["questionId"]}


BUDGET = {"en": "What is your budget?", "de": "Wie hoch ist Ihr Budget?"}
SAMPLE_ANSWERS: dict[str, Any] = {
    "First name": "Kevin", "Last name": "Okafor", "Work email": "kevin@example.com", "Phone number": "(212) 555-0147",
    "Job title": "Head of Growth", "Company name": "Example Industries", "Company size": [2], "Industry": "Software",
    "Country/Region": "United States", "State/Province": "Massachusetts", "Zip/Postal code": "02139",
    "Budget": [1, 2], "Comment": "Please call after noon.",
}  # fmt: skip


def form(number: int = FORM, *, version: int = 1, locale: tuple[str, str] = ("en", "US")) -> dict[str, Any]:
    """Return a form as `/rest/leadForms` does. `name` is in its creator's language, the questions are in the form's."""
    language, country = locale
    word = f"{language}_{country}"

    def question(place: int, name: str, predefined: str = "", *options: str, asked: str = "") -> dict[str, Any]:
        details: dict[str, Any] = {"textQuestionDetails": {"maxResponseLength": 300}}
        if options:
            rows = [{"id": at, "text": {"localized": {word: text}}} for at, text in enumerate(options)]
            details = {"multipleChoiceQuestionDetails": {"options": rows}}
        found: dict[str, Any] = {
            "questionId": number * 100 + place, "name": name, "question": {"localized": {word: asked or name}},
            "responseEditable": True, "responseRequired": False, "questionDetails": details,
        }  # fmt: skip
        return found | ({"predefinedField": predefined} if predefined else {})

    questions = [
        question(1, "First name", "FIRST_NAME"), question(2, "Last name", "LAST_NAME"),
        question(3, "Work email", "WORK_EMAIL"), question(4, "Phone number", "PHONE_NUMBER"),
        question(5, "Job title", "JOB_TITLE"), question(6, "Company name", "COMPANY_NAME"),
        question(7, "Company size", "COMPANY_SIZE", "1-10", "11-50", "51-200"),
        question(8, "Industry", "INDUSTRY"), question(9, "Country/Region", "COUNTRY"),
        question(10, "State/Province", "STATE"), question(11, "Zip/Postal code", "POSTAL_CODE"),
        question(12, "Budget", "", "None yet", "Up to $5,000", "More", asked=BUDGET[language]),
        question(13, "Comment", "", asked="Anything else?"),
    ]  # fmt: skip
    return {
        "id": number, "versionId": version, "name": "Spring demo", "state": "PUBLISHED", "created": 1_680_000_000_000,
        "lastModified": 1_680_000_000_000, "owner": {"sponsoredAccount": ACCOUNT},
        "creationLocale": {"country": country, "language": language},
        "hiddenFields": [{"name": "utm_campaign", "value": "spring"}],
        "reviewInfo": {"reviewStatus": "APPROVED", "rejectionReasons": [], "lastUpdated": 1_680_000_000_000},
        "content": {
            "headline": {"localized": {word: "Book a demo"}}, "description": {"localized": {word: "Half an hour."}},
            "questions": questions,
            "legalInfo": {
                "legalInfoId": 11, "privacyPolicyUrl": "https://example.com/privacy",
                "legalDisclaimer": {"localized": {word: "We keep it for a year."}},
                "consents": [{"id": 0, "checkRequired": True, "consent": {"localized": {word: "I may be contacted."}}}],
            },
            "postSubmissionInfo": {"message": {"localized": {word: "Thank you."}}},
        },
    }  # fmt: skip
