"""The view that every resource is: it starts at the key's agency, refuses what it does not know, and answers once."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from accounts.core.enums import Scope
from accounts.models import Agency, ApiKey
from accounts.web.rest.auth import SAFE_METHODS, HasScope, KeyAuthentication, KeyThrottle
from accounts.web.rest.fields import ID_PATTERN
from accounts.web.rest.filters import PAGING, Filter, StrictFilters, check_parameters
from accounts.web.rest.idempotency import answer_once
from accounts.web.rest.json_body import AlwaysJSON, Methods, StrictJSONParser, check_body
from accounts.web.rest.pagination import KeysetPagination


class AgencyView(GenericViewSet[Any]):
    """A resource of one agency. Subclasses say `model` and `rows`; what they list also `filters` and `orderings`."""

    model: ClassVar[type[Model]]
    filters: Mapping[str, Filter] = {}
    orderings: Mapping[str, str] = {"created_at": "pk"}  # ids follow the order in which rows were made
    parameters: tuple[str, ...] = ()  # query parameters of an action that is not a list
    lists: bool = False  # an extra action that is a list
    write_scope: Scope = Scope.WRITE
    authentication_classes = [KeyAuthentication]
    permission_classes = [HasScope]
    throttle_classes = [KeyThrottle]
    parser_classes = [StrictJSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AlwaysJSON
    metadata_class = Methods
    pagination_class = KeysetPagination
    filter_backends = [StrictFilters]
    lookup_url_kwarg = "id"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def __init__(self, **options: Any) -> None:
        """What a list below an object can be filtered and ordered by is its own: its rows are others."""
        if options.get("lists"):
            options = {"filters": AgencyView.filters, "orderings": AgencyView.orderings, **options}
        super().__init__(**options)

    def rows(self, agency: Agency) -> QuerySet[Any]:
        """All of the resource that this agency may see, and nothing else."""
        raise NotImplementedError

    @property
    def agency(self) -> Agency:
        assert isinstance(self.request.auth, ApiKey)  # noqa: S101 (HasScope let it through)
        return self.request.auth.agency

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return self.model._default_manager.none()
        return self.rows(self.agency)

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        return {**super().get_serializer_context(), **({} if fake else {"agency": self.agency})}

    def get_object(self) -> Any:
        """The row that the path names. Raises NotFound, also for a stranger's."""
        found = self.find(self.kwargs["id"]) if ID_PATTERN.fullmatch(self.kwargs["id"]) else None
        if found is None:
            raise NotFound("There is no such object.")
        return found

    def find(self, public_id: str) -> Any:
        return self.get_queryset().filter(pk=public_id).first()

    def trim(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows of a page that are shown: all, or fewer from its beginning."""
        return rows

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action in (None, "metadata"):
            return
        listing = self.lists or self.action == "list"
        check_parameters(request, [*self.filters, *PAGING] if listing else self.parameters)
        if request.method not in SAFE_METHODS:
            check_body(request)
            _ = request.data  # read now: an unreadable body is refused before anything is looked up

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As DRF's, but what changes something runs in a transaction, once per `Idempotency-Key`."""
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

    # --- what actions are made of ----------------------------------------------------------------

    def page_of(self, rows: QuerySet[Any]) -> Response:
        """One page of `rows`, filtered."""
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def read_body(self, *, instance: Any = None, partial: bool = False) -> dict[str, Any]:
        """The body's values. Raises ValidationError."""
        serializer: BaseSerializer[Any] = self.get_serializer(instance, data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def no_body(self) -> None:
        """Refuse a body where there is nothing to say."""
        if self.request.data:
            raise ValidationError({str(name)[:100]: "There is no such field." for name in list(self.request.data)[:10]})

    def show(self, row: Any, *, status: int = 200, **extra: Any) -> Response:
        """`row` as it is now in the database, with `extra` fields."""
        shown = self.get_serializer(self.get_queryset().get(pk=row.pk)).data
        return Response({**shown, **extra}, status=status)


class Listed:
    """GET on the collection."""

    def list(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = self.page_of(self.get_queryset())
        return response


class Shown:
    """GET on one object."""

    def retrieve(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(self.get_serializer(self.get_object()).data)
