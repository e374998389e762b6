from django.urls import path

from webhooks.portal import actions, received, views

urlpatterns = [
    path("sources", views.source_list, name="portal_sources"),
    path("new-source/<slug:provider>", views.source_new, name="portal_source_new"),
    path("sources/<str:pk>", views.source_page, name="portal_source"),
    path("sources/<str:pk>/light", views.source_light, name="portal_source_light"),
    path("sources/<str:pk>/rename", actions.source_rename, name="portal_source_rename"),
    path("sources/<str:pk>/switch", actions.source_switch, name="portal_source_switch"),
    path("sources/<str:pk>/secret", actions.source_secret, name="portal_source_secret"),
    path("sources/<str:pk>/rotate", actions.source_rotate, name="portal_source_rotate"),
    path("sources/<str:pk>/credentials", actions.source_credentials, name="portal_source_credentials"),
    path("sources/<str:pk>/networks", actions.source_networks, name="portal_source_networks"),
    path("sources/<str:pk>/sample", actions.source_sample, name="portal_source_sample"),
    path("sources/<str:pk>/remove", actions.source_remove, name="portal_source_remove"),
    path("sources/<str:pk>/words", received.treat_word, name="portal_word_treat"),
    path("sources/<str:pk>/words/<int:number>/remove", received.remove_word, name="portal_word_remove"),
    path("received", received.receipts_page, name="portal_received"),
    path("received/unrecognised", received.quarantine_page, name="portal_quarantine"),
    path("received/refused", received.refused_page, name="portal_refused"),
    path("received/<str:pk>", received.receipt_page, name="portal_receipt"),
    path("received/<str:pk>/reprocess", received.receipt_reprocess, name="portal_receipt_reprocess"),
]
