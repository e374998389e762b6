"""Define the base view of all resources: it starts at the key's agency, refuses unknown input, and acts once per key.

DRF's own mixins show lists and objects.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from accounts.core.enums import Scope
from accounts.core.keyset import KEY_PATTERN
from accounts.models import Agency, ApiKey
from accounts.web.rest.auth import SAFE_METHODS, HasScope, KeyAuthentication, KeyThrottle
from accounts.web.rest.filters import StrictFilterSet, check_parameters
from accounts.web.rest.idempotency import answer_once
from accounts.web.rest.json_body import JSONNegotiation, MethodsMetadata, StrictJSONParser, check_body
from accounts.web.rest.pagination import PAGING_PARAMETERS, KeysetPagination

BY_AGE: Mapping[str, str] = {"created_at": "pk"}  # ids follow the order of creation


class AgencyViewSet(GenericViewSet[Any]):
    """A resource of one agency. Subclasses define `get_queryset`, and for lists `filterset_class` and `orderings`."""

    filterset_class = StrictFilterSet
    orderings: Mapping[str, str] = BY_AGE
    default_ordering = ""  # the first of `orderings`, newest first
    parameters: Sequence[str] = ()  # query parameters of actions other than `list`
    write_scope: Scope = Scope.WRITE
    authentication_classes = [KeyAuthentication]
    permission_classes = [HasScope]
    throttle_classes = [KeyThrottle]
    parser_classes = [StrictJSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = JSONNegotiation
    metadata_class = MethodsMetadata
    pagination_class = KeysetPagination
    filter_backends = [DjangoFilterBackend]
    lookup_url_kwarg = "id"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    @property
    def agency(self) -> Agency:
        """Return the key's agency, or an empty one while OpenAPI is generated."""
        if getattr(self, "swagger_fake_view", False):
            return Agency()
        return self.key.agency

    @property
    def key(self) -> ApiKey:
        """Return the key that makes the request: whom the audit log names."""
        assert isinstance(self.request.auth, ApiKey)  # noqa: S101 (HasScope checks this)
        return self.request.auth

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "agency": self.agency}

    def get_object(self) -> Any:
        """Return the row that the path names. Raises NotFound, also for another agency's row."""
        found = self.get_by_id(self.kwargs["id"]) if KEY_PATTERN.fullmatch(self.kwargs["id"]) else None
        if found is None:
            raise NotFound("There is no such object.")
        return found

    def get_by_id(self, public_id: str) -> Model | None:
        """Return the row with this public id, or None."""
        found: Model | None = self.get_queryset().filter(pk=public_id).first()
        return found

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action in (None, "metadata"):
            return
        check_parameters(request, self._allowed_parameters())
        if request.method not in SAFE_METHODS:
            check_body(request)
            _ = request.data  # parse the body now, so that an unreadable one is refused before any look-up

    def _allowed_parameters(self) -> Sequence[str]:
        if self.action != "list":
            return self.parameters
        return [*self.filterset_class.base_filters, *PAGING_PARAMETERS]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Dispatch as DRF does, but run writes in a transaction, once per `Idempotency-Key`."""
        self.args, self.kwargs = args, kwargs
        self.request = drf_request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(drf_request, *args, **kwargs)
            handler = partial(self._handler(drf_request), drf_request, *args, **kwargs)
            changes = self.action not in (None, "metadata") and drf_request.method not in SAFE_METHODS
            response = answer_once(self.agency, drf_request, handler) if changes else handler()
        except Exception as error:
            response = self.handle_exception(error)
        self.response = self.finalize_response(drf_request, response, *args, **kwargs)
        return self.response

    def _handler(self, request: Request) -> Callable[..., Response]:
        method = (request.method or "").lower()
        known = method in self.http_method_names
        handler: Callable[..., Response] = getattr(self, method if known else "", self.http_method_not_allowed)
        return handler

    # --- helpers for actions ---------------------------------------------------------------------

    def list_of(self, rows: "QuerySet[Any]") -> Response:
        """Answer with a page of rows that belong to an object."""
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def validated_data(self, *, instance: Any = None, partial: bool = False) -> dict[str, Any]:
        """Return the validated values of the body. Raises ValidationError."""
        return validated(self.get_serializer(instance, data=self.request.data, partial=partial))

    def refuse_body(self) -> None:
        """Refuse a body, because the action takes none."""
        if self.request.data:
            raise ValidationError({str(name)[:100]: "There is no such field." for name in list(self.request.data)[:10]})

    def answer_with(self, row: Model, *, status: int = 200, **extra: Any) -> Response:
        """Answer with `row` as it is now in the database, and `extra` fields."""
        body = self.get_serializer(self.get_queryset().get(pk=row.pk)).data
        return Response({**body, **extra}, status=status)


def validated(serializer: BaseSerializer[Any]) -> dict[str, Any]:
    """Return the validated values of a serializer. Raises ValidationError."""
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
