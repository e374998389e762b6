from django.urls import path

from webhooks.portal import views

urlpatterns = [
    path("sources", views.source_page, name="portal_sources"),
    path("sources/<str:pk>/rename", views.source_rename, name="portal_source_rename"),
    path("sources/<str:pk>/switch", views.source_switch, name="portal_source_switch"),
    path("sources/<str:pk>/rotate", views.source_rotate, name="portal_source_rotate"),
    path("sources/<str:pk>/remove", views.source_remove, name="portal_source_remove"),
]
