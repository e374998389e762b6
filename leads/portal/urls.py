from django.urls import path

from leads.lead_sync import views as linkedin
from leads.portal import bulk, campaigns, clocks, lists, reports, scoring, views
from leads.portal.rules import views as rules

urlpatterns = [
    path("sources/<str:pk>/linkedin", linkedin.source_page, name="portal_linkedin"),
    path("sources/<str:pk>/linkedin/app", linkedin.source_app, name="portal_linkedin_app"),
    path("sources/<str:pk>/linkedin/want", linkedin.source_want, name="portal_linkedin_want"),
    path("oauth/linkedin/again/<str:token>", linkedin.again, name="linkedin_again"),
    path("oauth/linkedin/callback", linkedin.callback, name="linkedin_callback"),
    path("campaigns", campaigns.campaign_list, name="portal_campaigns"),
    path("campaigns/<str:pk>", campaigns.campaign_page, name="portal_campaign"),
    path("campaigns/<str:pk>/pause", campaigns.campaign_pause, name="portal_campaign_pause"),
    path("campaigns/<str:pk>/resume", campaigns.campaign_resume, name="portal_campaign_resume"),
    path("campaigns/<str:pk>/retry", campaigns.campaign_retry, name="portal_campaign_retry"),
    path("reports", reports.report_page, name="portal_reports"),
    path("reports/<slug:name>.csv", reports.report_csv, name="portal_report_csv"),
    path("scoring", rules.rule_list, {"kind": "scoring"}, name="portal_scoring"),
    path("scoring/settings", scoring.scoring_settings, name="portal_scoring_settings"),
    path("rules/<slug:kind>/new", rules.rule_new, name="portal_rule_new"),
    path("rules/<slug:kind>/sentence", rules.rule_sentence, name="portal_rule_sentence"),
    path("rules/<slug:kind>/preview", rules.rule_preview, name="portal_rule_preview"),
    path("rules/<slug:kind>/preview/<str:pk>", rules.rule_preview_result, name="portal_rule_preview_result"),
    path("rules/<slug:kind>/history", rules.rule_history, name="portal_rule_history"),
    path("rules/<slug:kind>/rollback", rules.rule_rollback, name="portal_rule_rollback"),
    path("rules/<slug:kind>/<str:pk>", rules.rule_page, name="portal_rule"),
    path("rules/<slug:kind>/<str:pk>/move", rules.rule_move, name="portal_rule_move"),
    path("rules/<slug:kind>/<str:pk>/delete", rules.rule_delete, name="portal_rule_delete"),
    path("leads", lists.lead_list, name="portal_leads"),
    path("leads/export", lists.lead_export, name="portal_leads_export"),
    path("leads/due", lists.leads_due, name="portal_leads_due"),
    path("leads/bulk", bulk.lead_bulk, name="portal_lead_bulk"),
    path("leads/filters", lists.filter_save, name="portal_filter_save"),
    path("leads/filters/<str:pk>/remove", lists.filter_remove, name="portal_filter_remove"),
    path("leads/<str:pk>", views.lead_page, name="portal_lead"),
    path("leads/<str:pk>/status", views.lead_status, name="portal_lead_status"),
    path("leads/<str:pk>/clocks", clocks.lead_clocks, name="portal_lead_clocks"),
    path("leads/<str:pk>/answered", clocks.lead_answered, name="portal_lead_answered"),
    path("leads/<str:pk>/assign", views.lead_assign, name="portal_lead_assign"),
]
