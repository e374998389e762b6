"""Register the API's resources. Each app adds its resources in its `api/routes.py`, which `config.api` imports."""

from typing import Any

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from accounts.web.rest.views import AgencyViewSet


class ResourceRouter(SimpleRouter):
    """DRF's router, with a position for each resource in the documentation."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False, use_regex_path=False)
        self._positions: dict[str, int] = {}
        self._reports: dict[str, Any] = {}

    def add(self, name: str, viewset: type[AgencyViewSet], *, position: int) -> None:
        """Serve `/api/v1/<name>`. The documentation lists resources by `position`."""
        self._positions[name] = position
        self.register(name, viewset, basename=name)
        self.registry.sort(key=lambda entry: self._positions[entry[0]])

    def add_report(self, name: str, viewset: type[AgencyViewSet]) -> None:
        """Serve `/api/v1/reports/<name>` by the viewset's `report`."""
        self._reports[name] = viewset.as_view({"get": "report"})

    def get_urls(self) -> "list[URLPattern | URLResolver]":
        reports = [path(f"reports/{name}", view, name=f"report-{name}") for name, view in self._reports.items()]
        return [*reports, *super().get_urls()]


router = ResourceRouter()
