"""Add this app's resources to the API."""

from accounts.web.rest.router import router
from leads.analytics.api import (
    EngagementReportViewSet,
    FunnelReportViewSet,
    LeadReportViewSet,
    LossReportViewSet,
    ResponseReportViewSet,
    WorkloadReportViewSet,
)
from leads.api.activities import NoteViewSet, TaskViewSet
from leads.api.duplicates import DuplicateViewSet
from leads.api.imports import ImportViewSet
from leads.api.inbox import MessageViewSet, ThreadViewSet
from leads.api.leads import LeadViewSet
from leads.api.pools import PoolViewSet
from leads.api.routing_rules import RoutingRuleViewSet
from leads.api.scoring import ScoringRuleViewSet
from leads.api.sequences import EnrolmentViewSet, SequenceViewSet
from leads.api.target_lists import TargetListViewSet
from leads.api.target_rules import TargetRuleViewSet
from leads.api.templates import TemplateViewSet

router.add("leads", LeadViewSet, position=20)
router.add("duplicates", DuplicateViewSet, position=22)
router.add("imports", ImportViewSet, position=23)
router.add("tasks", TaskViewSet, position=24)
router.add("notes", NoteViewSet, position=25)
router.add("threads", ThreadViewSet, position=30)
router.add("messages", MessageViewSet, position=31)
router.add("target-rules", TargetRuleViewSet, position=27)
router.add("scoring-rules", ScoringRuleViewSet, position=26)
router.add("pools", PoolViewSet, position=46)
router.add("routing-rules", RoutingRuleViewSet, position=47)
router.add("target-lists", TargetListViewSet, position=28)
router.add("templates", TemplateViewSet, position=32)
router.add("sequences", SequenceViewSet, position=33)
router.add("enrolments", EnrolmentViewSet, position=34)
router.add_report("leads", LeadReportViewSet)
router.add_report("response-times", ResponseReportViewSet)
router.add_report("funnel", FunnelReportViewSet)
router.add_report("losses", LossReportViewSet)
router.add_report("engagement", EngagementReportViewSet)
router.add_report("workload", WorkloadReportViewSet)
