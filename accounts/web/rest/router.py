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
        self._single: dict[str, Any] = {}

    def add(self, name: str, viewset: type[AgencyViewSet], *, position: int) -> None:
        """Serve `/api/v1/<name>`. The documentation lists resources by `position`."""
        self._positions[name] = position
        self.register(name, viewset, basename=name)
        self.registry.sort(key=lambda entry: self._positions[entry[0]])

    def add_report(self, name: str, viewset: type[AgencyViewSet]) -> None:
        """Serve `/api/v1/reports/<name>` by the viewset's `report`."""
        self.add_view(f"reports/{name}", viewset, "report")

    def add_view(self, url: str, viewset: type[AgencyViewSet], action: str) -> None:
        """Serve `/api/v1/<url>`, which has no objects below it, by one action of the viewset."""
        self._single[url] = viewset.as_view({"get": action})

    def get_urls(self) -> "list[URLPattern | URLResolver]":
        single = [path(url, view, name=url.replace("reports/", "report-")) for url, view in self._single.items()]
        return [*single, *super().get_urls()]


router = ResourceRouter()
