from django.urls import path

from notifications import views

urlpatterns = [
    path("verify/<str:token>", views.verify, name="verify"),
    path("unsubscribe/<str:token>", views.unsubscribe, name="unsubscribe"),
]
