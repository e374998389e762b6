from django.urls import path

from leads import views

urlpatterns = [
    path("leads", views.lead_list, name="portal_leads"),
    path("leads/<str:pk>", views.lead_page, name="portal_lead"),
    path("leads/<str:pk>/status", views.lead_status, name="portal_lead_status"),
]
