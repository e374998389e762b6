"""The addresses of a plain Django admin: leads and accounts as `ModelAdmin` lists them by itself."""

from django.contrib.admin import AdminSite
from django.urls import path

from accounts.models import Account
from leads.models import Lead

site = AdminSite()
site.register([Account, Lead])

urlpatterns = [path("admin/", site.urls)]
