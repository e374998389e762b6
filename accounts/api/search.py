"""`/api/v1/search`."""

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.core.search import MIN_LENGTH, is_long_enough, search_in_api
from accounts.web.rest.fields import StrictCharField, StrictSerializer, id_field
from accounts.web.rest.filters import MAX_LENGTH
from accounts.web.rest.views import AgencyViewSet

SIZE = 20


class HitSerializer(StrictSerializer):
    type = StrictCharField(read_only=True, allow_null=False, help_text="`lead`, `account` or `campaign`.")
    id = id_field()
    title = StrictCharField(read_only=True, allow_null=False)
    subtitle = StrictCharField(read_only=True)
    url = StrictCharField(read_only=True, allow_null=False, help_text="The page that shows it.")


class SearchViewSet(AgencyViewSet):
    """Everything that a word finds."""

    serializer_class = HitSerializer
    parameters = ("q",)

    @extend_schema(
        tags=["search"],
        operation_id="search",
        summary="Search leads, accounts and campaigns",
        parameters=[
            OpenApiParameter(
                "q",
                {"type": "string", "minLength": MIN_LENGTH, "maxLength": MAX_LENGTH},
                required=True,
                description="Part of a name, an e-mail address, a company, a title, a URL or an id.",
            )
        ],
        responses=inline_serializer("SearchAnswer", {"results": HitSerializer(many=True)}),
    )
    def search(self, request: Request, **_: object) -> Response:
        """Leads, accounts and campaigns that a word finds, the best first, at most 20."""
        word = request.query_params.get("q", "")
        if not is_long_enough(word):
            raise ValidationError({"q": f"Give at least {MIN_LENGTH} characters."})
        found = [
            {
                "type": kind.name,
                "id": hit.id,
                "title": hit.title,
                "subtitle": hit.subtitle,
                "url": f"{settings.PUBLIC_URL}{hit.path}",
            }
            for kind, hit in search_in_api(self.agency.pk, word, size=SIZE)
        ]
        return Response({"results": self.get_serializer(found, many=True).data})
