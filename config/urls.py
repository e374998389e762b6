from allauth.mfa.totp.views import activate_totp
from django.contrib import admin
from django.urls import include, path

from accounts.reauth import views as reauth
from config import email_pages, views
from config.api_docs import create_first_key
from config.security import csp_override

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("api/v1/", include("config.api")),
    path("keys/first", create_first_key, name="api-first-key"),  # a page's form: the API below takes JSON alone
    path("admin/", admin.site.urls),
    # The QR code is an inline image.
    path("accounts/2fa/totp/activate/", csp_override(activate_totp, img_src=["'self'", "data:"])),
    path("reauth/<str:token>", reauth.page, name="reauth"),
    path("reauth/<str:token>/progress", reauth.progress, name="reauth_progress"),
    path("reauth/<str:token>/result", reauth.result, name="reauth_result"),
    path("accounts/2fa/needed/", views.second_factor_needed, name="second_factor_needed"),
    path("accounts/email/", email_pages.change_email, name="account_email"),
    path("accounts/confirm-email/<str:key>/", email_pages.confirm_email, name="account_confirm_email"),
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.portal.urls")),
    path("", include("leads.portal.urls")),
    path("", include("webhooks.portal.urls")),
    path("", include("notifications.urls")),
]
