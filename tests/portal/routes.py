"""Every page and button of the portal. A test below holds this list against the URL patterns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import transaction
from django.urls import reverse

from accounts.core.enums import Role
from tests.factories import Everything

T = TypeVar("T")
ALL, CHANGES, DECIDES = frozenset(Role), frozenset({Role.OWNER, Role.MANAGER}), frozenset({Role.OWNER})


NO_STEPS = {"steps-TOTAL_FORMS": "0", "steps-INITIAL_FORMS": "0"}


@dataclass(frozen=True)
class Route:
    """`of` names whose id stands in the URL; `post`: a button, `file`: a download, else a page; `roles` may use it."""

    name: str
    of: str = ""
    more: tuple[str, ...] = ()
    post: bool = False
    file: bool = False
    roles: frozenset[Role] = ALL
    data: dict[str, str] = field(default_factory=dict)
    answers: int = 0

    @property
    def status(self) -> int:
        """What who may use it is answered."""
        return self.answers or (302 if self.post else 200)

    def __str__(self) -> str:
        return " ".join((self.name, *self.more, "POST" if self.post else ""))

    @property
    def is_page(self) -> bool:
        return not self.post and not self.file and self.status == 200

    def url(self, things: Everything) -> str:
        ids = things.ids_of(self.of) if self.of else ()
        return reverse(self.name, args=[*ids, *self.more])


def button(
    route: str, of: str = "", /, *more: str, roles: frozenset[Role] = CHANGES, answers: int = 0, **data: str
) -> Route:
    return Route(route, of, more, post=True, roles=roles, data=data, answers=answers)


def walk(routes: list[Route], answer: Callable[[Route], T]) -> dict[str, T]:
    """What each of them answers, all in the same state: what one changes is undone before the next."""
    answers = {}
    for route in routes:
        with transaction.atomic():
            answers[str(route)] = answer(route)
            transaction.set_rollback(True)
    return answers


def same(routes: list[Route], answer: T) -> dict[str, T]:
    """Expect the same answer of each route. Return it by the route's name."""
    return {str(route): answer for route in routes}


ROUTES = [
    Route("home"),
    Route("portal-search"),
    Route("portal_accounts"),
    Route("portal_account", "account"),
    Route("portal_campaigns"),
    Route("portal_campaign", "campaign"),
    button("portal_campaign_pause", "campaign", reason="Too many"),
    button("portal_campaign_resume", "campaign"),
    button("portal_campaign_retry", "campaign"),
    *(button(f"portal_account_{name}", "account") for name in ("ask", "link", "pause", "resume")),
    Route("portal_reports"),
    *(Route("portal_report_csv", "", (name,), file=True) for name in ("leads", "campaigns", "accounts")),
    Route("portal_figures", "", ("response-times",)),
    Route("portal_figures_csv", "", ("response-times",), file=True),
    Route("portal_figures_xlsx", "", ("response-times",), file=True),
    Route("portal_leads"),
    Route("portal_leads_board"),
    Route("portal_board_column", "", ("PENDING",), file=True),
    button("portal_board_move", "lead", status="DONE", shown="PENDING", answers=200),
    Route("portal_my_leads", file=True),
    button("portal_leads_export", answers=200),
    Route("portal_lead", "lead"),
    button("portal_lead_status", "lead", status="DONE"),
    button("portal_lead_assign", "lead", assignee="none"),
    Route("portal_inbox"),
    Route("portal_conversation", "thread"),
    Route("portal_conversation_messages", "thread", file=True),
    button("portal_conversation_read", "thread", roles=ALL),
    button("portal_conversation_label", "thread", label="pricing"),
    button("portal_conversation_reply", "thread", text="Tuesday at ten?", answers=422),
    button("portal_message_send_again", "message"),
    button("portal_message_mark_sent", "message"),
    button("portal_message_discard", "message"),
    Route("portal_tasks"),
    button("portal_my_mails", "", assigned="on", digest="on"),
    button("portal_task_done", "task", outcome="Reached"),
    button("portal_task_create", "lead", kind="call", title="Call her", delay="60", assignee="none"),
    button("portal_note_create", "lead", text="Met her"),
    button("portal_note_delete", "note"),
    Route("portal_imports"),
    button("portal_import_new", answers=422),
    Route("portal_import", "file"),
    Route("portal_import_state", "file", file=True),
    button("portal_import_mapping", "file", column_0="name", column_1="email", column_2="company"),
    button("portal_import_run", "file"),
    button("portal_import_undo", "file"),
    button("portal_import_delete", "file"),
    Route("portal_import_refused", "file", roles=CHANGES, file=True),
    Route("portal_duplicates"),
    button("portal_duplicate_merge", "duplicate"),
    button("portal_duplicate_dismiss", "duplicate"),
    Route("portal_lead_merge", "lead", roles=CHANGES),
    button("portal_lead_merge", "lead", other="lead_unknown"),
    button("portal_lead_unmerge", "lead", record="lead_unknown"),
    Route("portal_lead_clocks", "lead", file=True),
    Route("portal_leads_due", file=True),
    button("portal_lead_answered", "lead", how="by telephone"),
    button("portal_lead_bulk", assignee="none"),
    Route("portal_unrouted"),
    button("portal_unrouted_assign", assignee="none"),
    Route("portal_routing"),
    button("portal_routing_options", same_company="on", company_days="30"),
    Route("portal_pools"),
    Route("portal_pool_new", roles=CHANGES),
    button("portal_pool_new", name="Enterprise", kind="round_robin"),
    Route("portal_pool", "pool"),
    button("portal_pool_change", "pool", name="Other", kind="round_robin"),
    button("portal_pool_delete", "pool"),
    button("portal_pool_credit", "pool", leads="1", reason="Fair"),
    button("portal_filter_save", roles=ALL, name="Done", query="status=DONE"),
    button("portal_filter_remove", "saved", roles=ALL, answers=404),
    Route("portal_incidents"),
    Route("portal_incident", "incident"),
    Route("portal_sub_accounts"),
    button("portal_sub_account_rename", "place", name="Berlin"),
    Route("portal_sources"),
    button("portal_sources", provider="sendpilot", name="", secret=""),
    Route("portal_source_new", "", ("salesflow",), roles=CHANGES),
    Route("portal_source", "source"),
    Route("portal_source_light", "source"),
    button("portal_source_secret", "source", secret="theirs"),
    button("portal_source_credentials", "source", api_key="key"),
    button("portal_source_networks", "source", networks="203.0.113.0/24"),
    button("portal_source_sample", "source", sample="login_success"),
    button("portal_word_treat", "source", kind="status", word="GHOSTED", meaning="SUCCESS"),
    button("portal_word_remove", "mapping"),
    Route("portal_received"),
    Route("portal_quarantine"),
    Route("portal_refused"),
    Route("portal_receipt", "receipt"),
    button("portal_receipt_reprocess", "receipt"),
    button("portal_source_rename", "source", name="Other"),
    button("portal_source_switch", "source", to="off"),
    button("portal_source_rotate", "source"),
    button("portal_source_remove", "source"),
    Route("portal_linkedin", "linkedin"),
    button("portal_linkedin_app", "linkedin", client_id="app"),
    button("portal_linkedin_want", "linkedin", lead_type="SPONSORED", owner="123"),
    Route("portal_notifications"),
    *(Route("portal_channel_add", "", (kind,), roles=CHANGES) for kind in ("email", "slack")),
    button("portal_channel_add", "", "email", email="a@example.com", listens="all"),
    Route("portal_channel", "webhook"),
    Route("portal_channel_edit", "webhook", roles=CHANGES),
    button("portal_channel_edit", "webhook", url="https://example.com/x", listens="all"),
    Route("portal_channel_test", "webhook", roles=CHANGES),
    button("portal_channel_test", "email", example="lead_replied"),
    Route("portal_test", "test", answers=302),
    button("portal_channel_rotate", "webhook"),
    Route("portal_channel_replay", "webhook", roles=CHANGES),
    button("portal_channel_replay", "webhook", since="2026-01-01T00:00"),
    *(button("portal_channel_press", "email", name) for name in ("try", "off", "on", "ask", "remove")),
    Route("portal_previews"),
    Route("portal_preview", "", ("lead_replied",)),
    Route("portal_deliveries"),
    Route("portal_delivery", "delivery"),
    button("portal_delivery_resend", "delivery"),
    Route("portal_team", roles=DECIDES),
    button("portal_team", roles=DECIDES, email="b@example.com", role="manager"),
    button("portal_member_role", "member", roles=DECIDES, role="manager"),
    button("portal_member_availability", "member", roles=DECIDES, paused_until="2199-01-01"),
    button("portal_member_remove", "member", roles=DECIDES),
    button("portal_invitation_withdraw", "invitation", roles=DECIDES),
    Route("portal_keys", roles=DECIDES),
    button("portal_keys", roles=DECIDES, name="CRM", scopes="read", lifetime=""),
    button("portal_key_revoke", "key", roles=DECIDES),
    Route("portal_audit", roles=CHANGES),
    Route("portal_brand", roles=CHANGES),
    button("portal_brand", sender_name="Acme", colour="#102030"),
    Route("portal_targets"),
    Route("portal_scoring"),
    button("portal_scoring_settings", threshold="60", half_life_days="7"),
    *(Route("portal_rule_new", "", (kind,), roles=CHANGES) for kind in ("routing", "scoring", "target")),
    Route("portal_learning"),
    Route("portal_learning_result"),
    button("portal_learning_start"),
    button("portal_learning_accept", rules="rule_1"),
    button("portal_learning_call_off"),
    button("portal_rule_new", "", "scoring", name="VPs", group="fit", points="10"),
    Route("portal_rule", "scoring_rule", roles=CHANGES),
    button("portal_rule", "scoring_rule", name="VPs", group="fit", points="10"),
    button("portal_rule_move", "scoring_rule", position="1"),
    button("portal_condition_sentence", "", answers=200, conditions=""),
    button("portal_rule_preview", "", "scoring", roles=ALL, days="30"),
    Route("portal_rule_preview_result", "rule_preview"),
    Route("portal_rule_history", "", ("scoring",)),
    button("portal_rule_rollback", "", "scoring", version="1"),
    button("portal_rule_delete", "scoring_rule"),
    Route("portal_target_lists"),
    button("portal_target_list_new", answers=422, name="Key accounts"),
    Route("portal_target_list", "target_list"),
    button("portal_target_list_change", "target_list", name="Key accounts"),
    button("portal_target_list_delete", "target_list"),
    Route("portal_sequences"),
    Route("portal_sequence_new", roles=CHANGES),
    button("portal_sequence_new", answers=422, name="Calls", **NO_STEPS),
    Route("portal_sequence", "sequence"),
    Route("portal_sequence_edit", "sequence", roles=CHANGES),
    button("portal_sequence_edit", "sequence", answers=422, **NO_STEPS),
    button("portal_sequence_switch", "sequence", active="0"),
    button("portal_sequence_move", "sequence"),
    button("portal_sequence_delete", "sequence"),
    *(button("portal_enrolment_change", "enrolment", change) for change in ("stop", "pause", "resume")),
    *(button("portal_email_decide", "outbound", decision) for decision in ("again", "sent")),
    Route("portal_lead_draft", "lead", roles=CHANGES),
    button("portal_lead_draft", "lead", answers=200),
    button("portal_lead_enrol", "lead", sequence="seq_1"),
    button("portal_lead_opt_out", "lead"),
    Route("portal_mailing"),
    button("portal_mailing_change", answers=422),
    button("portal_mailing_verify"),
    Route("portal_templates"),
    Route("portal_template_new", roles=CHANGES),
    button("portal_template_new", name="Hello", channel="linkedin", text="Hello {{ name }}"),
    Route("portal_template", "template"),
    button("portal_template_change", "template", name="Hello", channel="linkedin", text="Hello {{ name }}"),
    button("portal_template_delete", "template"),
    Route("portal_hours", roles=CHANGES),
    button("portal_hours", name="Berlin", timezone="Europe/Berlin", mon="09:00-12:00, 13:00-17:00"),
    Route("portal_calendar", "calendar", roles=CHANGES),
    button("portal_calendar", "calendar", name="Berlin", timezone="Europe/Berlin", mon="22:00-06:00"),
    button("portal_calendar_delete", "calendar"),
    Route("portal_settings", roles=CHANGES),
    button("portal_settings", name="Other name", timezone="Europe/Berlin", locale="de-DE"),
    Route("portal_shown_once", answers=302),
]
#: A choice among one's own agencies, what people without membership open, and what mail servers call.
ELSEWHERE = {
    "portal_choose_agency",
    "portal_theme",
    "portal_language",
    "brand_logo",
    "brand_style",
    "invitation",
    "verify",
    "unsubscribe",
    "bounces",
    "linkedin_callback",
    "linkedin_again",
}
