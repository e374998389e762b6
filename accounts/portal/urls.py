from django.urls import path

from accounts.portal import account_actions, audit, brand, incidents, linkedin, people, search, settings, sub_accounts

urlpatterns = [
    path("search", search.search_page, name="portal-search"),
    path("linkedin", linkedin.account_list, name="portal_accounts"),
    path("linkedin/<str:pk>", linkedin.account_page, name="portal_account"),
    path("linkedin/<str:pk>/ask", account_actions.account_ask, name="portal_account_ask"),
    path("linkedin/<str:pk>/link", account_actions.account_link, name="portal_account_link"),
    path("linkedin/<str:pk>/pause", account_actions.account_pause, name="portal_account_pause"),
    path("linkedin/<str:pk>/resume", account_actions.account_resume, name="portal_account_resume"),
    path("incidents", incidents.incident_list, name="portal_incidents"),
    path("incidents/<str:pk>", incidents.incident_page, name="portal_incident"),
    path("sub-accounts", sub_accounts.sub_account_list, name="portal_sub_accounts"),
    path("sub-accounts/<str:pk>/rename", sub_accounts.sub_account_rename, name="portal_sub_account_rename"),
    path("team", people.team_page, name="portal_team"),
    path("team/<str:pk>/role", people.member_role, name="portal_member_role"),
    path("team/<str:pk>/remove", people.member_remove, name="portal_member_remove"),
    path("team/invitations/<str:pk>/withdraw", people.invitation_withdraw, name="portal_invitation_withdraw"),
    path("invitation/<str:token>", people.invitation_page, name="invitation"),
    path("keys", settings.key_page, name="portal_keys"),
    path("keys/<str:pk>/revoke", settings.key_revoke, name="portal_key_revoke"),
    path("brand", brand.brand_page, name="portal_brand"),
    path("brand/logo/<str:digest>", brand.brand_logo, name="brand_logo"),
    path("brand/style/<str:colour>.css", brand.brand_style, name="brand_style"),
    path("audit", audit.audit_page, name="portal_audit"),
    path("settings", settings.agency_page, name="portal_settings"),
    path("agency", settings.choose_agency, name="portal_choose_agency"),
    path("theme", settings.choose_theme, name="portal_theme"),
    path("language", settings.choose_language, name="portal_language"),
    path("shown", settings.shown_once, name="portal_shown_once"),
]
