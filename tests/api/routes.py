"""Every route of the API, so that a rule can be tested over all of them."""

from accounts.core.enums import Scope

#: Lists without an object in their path.
LISTS = (
    "accounts",
    "leads",
    "duplicates",
    "imports",
    "threads",
    "messages",
    "tasks",
    "notes",
    "sub-accounts",
    "campaigns",
    "members",
    "calendars",
    "target-rules",
    "target-rules/versions",
    "scoring-rules",
    "scoring-rules/versions",
    "routing-rules",
    "routing-rules/versions",
    "pools",
    "target-lists",
    "templates",
    "sequences",
    "enrolments",
    "sources",
    "receipts",
    "rejected-requests",
    "events",
    "event-types",
    "channels",
    "deliveries",
)
#: What is worked out from the parameters alone: `tests/accounts/tenancy/calendars/test_public_holidays.py`.
PROPOSALS = ("calendars/holidays",)
#: What is about many objects, and no list: figures, and the search.
LEAD_REPORTS = ("leads", "response-times", "funnel", "losses", "engagement", "workload")
REPORTS = ("reports/accounts", *(f"reports/{name}" for name in LEAD_REPORTS), "search")
#: Lists below an object: the resource, what follows its id.
HISTORIES = (
    *(("accounts", "history"), ("leads", "history"), ("leads", "clocks"), ("leads", "assignments")),
    *(("leads", "thread"), ("imports", "refused"), ("sequences", "versions"), ("sequences", "enrolments")),
)
#: Method, resource, what follows its id, the scope it takes, a body.
OBJECT_ROUTES = (
    ("get", "accounts", "", Scope.READ, None),
    ("patch", "accounts", "", Scope.WRITE, {"name": "New"}),
    ("get", "accounts", "/history", Scope.READ, None),
    ("get", "accounts", "/readiness", Scope.READ, None),
    ("get", "accounts", "/senders", Scope.READ, None),
    ("post", "accounts", "/senders", Scope.WRITE, {"sender_ids": ["sender_1"]}),
    ("post", "accounts", "/reauth", Scope.WRITE, {"email": "owner@example.com"}),
    ("get", "leads", "", Scope.READ, None),
    ("patch", "leads", "", Scope.WRITE, {"name": "New"}),
    ("get", "leads", "/history", Scope.READ, None),
    ("post", "leads", "/merge", Scope.WRITE, {"other": "lead_zz"}),
    ("post", "leads", "/unmerge", Scope.WRITE, {"record": "lead_zz"}),
    ("get", "imports", "", Scope.READ, None),
    ("patch", "imports", "", Scope.WRITE, {"mapping": ["name", "email", "company"]}),
    ("get", "imports", "/refused", Scope.READ, None),
    ("post", "imports", "/run", Scope.WRITE, None),
    ("post", "imports", "/undo", Scope.WRITE, None),
    ("get", "duplicates", "", Scope.READ, None),
    ("post", "duplicates", "/merge", Scope.WRITE, None),
    ("post", "duplicates", "/dismiss", Scope.WRITE, None),
    ("get", "leads", "/score", Scope.READ, None),
    ("get", "leads", "/clocks", Scope.READ, None),
    ("post", "leads", "/answered", Scope.WRITE, {"how": "by telephone"}),
    ("get", "leads", "/assignments", Scope.READ, None),
    ("post", "leads", "/assign", Scope.WRITE, {"member": "mbr_00a"}),
    ("get", "members", "", Scope.READ, None),
    ("patch", "members", "", Scope.WRITE, {"alerts": {"assigned": False}}),
    ("get", "pools", "", Scope.READ, None),
    ("patch", "pools", "", Scope.WRITE, {"name": "New"}),
    ("post", "pools", "/credit", Scope.WRITE, {"member": "mbr_00a", "leads": 1, "reason": "Was at the fair"}),
    ("get", "leads", "/thread", Scope.READ, None),
    ("get", "threads", "", Scope.READ, None),
    ("post", "threads", "/reply", Scope.WRITE, {"text": "Tuesday at ten?"}),
    ("post", "leads", "/send", Scope.WRITE, {"text": "Hello"}),
    ("post", "threads", "/read", Scope.WRITE, None),
    ("post", "threads", "/label", Scope.WRITE, {"label": "pricing"}),
    ("get", "messages", "", Scope.READ, None),
    ("post", "messages", "/resend", Scope.WRITE, None),
    ("get", "tasks", "", Scope.READ, None),
    ("patch", "tasks", "", Scope.WRITE, {"title": "Call again"}),
    ("post", "tasks", "/done", Scope.WRITE, {"outcome": "Reached her"}),
    ("get", "notes", "", Scope.READ, None),
    ("patch", "notes", "", Scope.WRITE, {"text": "Prefers mornings"}),
    ("get", "sub-accounts", "", Scope.READ, None),
    ("get", "campaigns", "", Scope.READ, None),
    ("patch", "campaigns", "", Scope.WRITE, {"status": "paused"}),
    ("get", "campaigns", "/at-provider", Scope.READ, None),
    ("post", "campaigns", "/retry", Scope.WRITE, None),
    ("get", "calendars", "", Scope.READ, None),
    ("patch", "calendars", "", Scope.WRITE, {"name": "New"}),
    ("get", "calendars", "/preview", Scope.READ, None),
    ("get", "target-rules", "", Scope.READ, None),
    ("patch", "target-rules", "", Scope.WRITE, {"minutes": 30}),
    ("get", "scoring-rules", "", Scope.READ, None),
    ("patch", "scoring-rules", "", Scope.WRITE, {"name": "New"}),
    ("get", "routing-rules", "", Scope.READ, None),
    ("patch", "routing-rules", "", Scope.WRITE, {"name": "New"}),
    ("get", "target-lists", "", Scope.READ, None),
    ("patch", "target-lists", "", Scope.WRITE, {"name": "New"}),
    ("get", "templates", "", Scope.READ, None),
    ("patch", "templates", "", Scope.WRITE, {"name": "New"}),
    ("get", "sequences", "", Scope.READ, None),
    ("patch", "sequences", "", Scope.WRITE, {"name": "New"}),
    ("get", "sequences", "/versions", Scope.READ, None),
    ("get", "sequences", "/enrolments", Scope.READ, None),
    ("post", "sequences", "/preview", Scope.WRITE, {"lead": "lead_zz"}),
    ("post", "sequences", "/move", Scope.WRITE, {"preview": True}),
    ("get", "enrolments", "", Scope.READ, None),
    ("post", "enrolments", "/stop", Scope.WRITE, None),
    ("post", "enrolments", "/resume", Scope.WRITE, None),
    ("post", "enrolments", "/pause", Scope.WRITE, {"until": "2030-01-01T00:00:00Z"}),
    ("post", "leads", "/enrol", Scope.WRITE, {"sequence": "seq_zz"}),
    ("post", "templates", "/preview", Scope.WRITE, {"lead": "lead_zz"}),
    ("get", "sources", "", Scope.READ, None),
    ("patch", "sources", "", Scope.ADMIN, {"name": "New"}),
    ("post", "sources", "/rotate-secret", Scope.ADMIN, None),
    ("post", "sources", "/connect", Scope.ADMIN, None),
    ("post", "sources", "/requests", Scope.WRITE, {"request_id": "r1", "action": "login"}),
    ("get", "receipts", "", Scope.READ, None),
    ("post", "receipts", "/reprocess", Scope.WRITE, None),
    ("get", "events", "", Scope.READ, None),
    ("get", "channels", "", Scope.READ, None),
    ("patch", "channels", "", Scope.ADMIN, {"name": "New"}),
    ("post", "channels", "/test", Scope.ADMIN, None),
    ("post", "channels", "/rotate-secret", Scope.ADMIN, None),
    ("post", "channels", "/enable", Scope.ADMIN, None),
    ("post", "channels", "/replay", Scope.ADMIN, {"since": "2020-01-01T00:00:00Z"}),
    ("get", "deliveries", "", Scope.READ, None),
    ("post", "deliveries", "/resend", Scope.WRITE, None),
    ("delete", "tasks", "", Scope.WRITE, None),
    ("delete", "notes", "", Scope.WRITE, None),
    ("delete", "calendars", "", Scope.WRITE, None),
    ("delete", "target-rules", "", Scope.WRITE, None),
    ("delete", "scoring-rules", "", Scope.WRITE, None),
    ("delete", "routing-rules", "", Scope.WRITE, None),
    ("delete", "pools", "", Scope.WRITE, None),
    ("delete", "imports", "", Scope.WRITE, None),
    ("delete", "target-lists", "", Scope.WRITE, None),
    ("delete", "templates", "", Scope.WRITE, None),
    ("delete", "sequences", "", Scope.WRITE, None),
    ("delete", "sources", "", Scope.ADMIN, None),
    ("delete", "channels", "", Scope.ADMIN, None),
)
WAIT = {"kind": "wait", "delay": 2}
#: Collections that take a POST: the scope and a body.
CREATIONS = (
    ("leads", Scope.WRITE, {"email": "new@example.com"}),
    ("calendars", Scope.WRITE, {"name": "Berlin", "timezone": "Europe/Berlin"}),
    ("target-rules", Scope.WRITE, {"name": "Founders", "minutes": 5}),
    ("scoring-rules", Scope.WRITE, {"name": "Decision-maker", "group": "fit", "points": 20}),
    ("pools", Scope.WRITE, {"name": "Enterprise", "members": []}),
    ("routing-rules", Scope.WRITE, {"name": "Rest", "effect": {"keep": True}}),
    ("target-lists", Scope.WRITE, {"name": "Key accounts 2027", "csv": "acme.example.com"}),
    (
        "sequences",
        Scope.WRITE,
        {"name": "Calls", "trigger": {"kind": "hand"}, "steps": [{"kind": "phone_task", "note": "Call {{ name }}"}]},
    ),
    ("templates", Scope.WRITE, {"name": "Hello", "channel": "linkedin", "text": "Hello {{ name }}"}),
    ("imports", Scope.WRITE, {"name": "fair.csv", "csv": "E-mail\nann@example.com\n"}),
    ("sources", Scope.ADMIN, {"provider": "salesflow"}),
    ("channels", Scope.ADMIN, {"kind": "webhook", "url": "https://crm.example.com/hook"}),
)
#: Collections whose POST names a lead: `test_tasks.py`.
OF_LEADS = ("tasks", "notes")
#: What is done to all objects of a resource at once, by a POST.
ACTIONS = (
    *(f"{kind}-rules/{action}" for kind in ("scoring", "routing", "target") for action in ("preview", "rollback")),
    *(f"scoring-rules/learning{action}" for action in ("", "/accept", "/call-off")),
)
#: What an agency has one of.
SINGLE = ("scoring-rules/learning",)
SUCCESS = {"/rotate-secret": 200, "/reauth": 200, "/requests": 201}


def success_of(method: str, rest: str) -> int:
    """The status of a good answer."""
    if method == "delete":
        return 204
    return SUCCESS.get(rest, 202) if method == "post" else 200
