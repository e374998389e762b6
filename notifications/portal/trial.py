"""Send a test event with an example of the sender's choice, and wait for its delivery."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.core.enums import EventType
from accounts.portal import MemberRequest, readers, redirect_back, render_page, writers
from accounts.web.refusals import refusals_as_messages
from notifications.channels import service as channels
from notifications.portal.sending_forms import TestForm

#: A test that has no delivery after so long waits for a worker.
TIMEOUT = timedelta(seconds=60)


@require_http_methods(["GET", "HEAD", "POST"])
@writers
def send_test(request: MemberRequest, pk: str) -> HttpResponse:
    channel = get_object_or_404(request.agency.channels, pk=pk)
    form = TestForm(request.POST if request.method == "POST" else None, auto_id=f"{channel.pk}-test-%s")
    if not form.is_valid():
        context = {"form": form, "channel": channel}
        status = 422 if form.errors else 200
        return render_page(request, "portal/channel_test.html", "notifications", status=status, **context)
    with refusals_as_messages(request):
        example = form.cleaned_data["example"] or EventType.TEST
        event = channels.send_test_event(channel, example=example, by=request.member.user)
        return redirect("portal_test", event.pk)
    return redirect_back(request, "portal_channel", channel.pk)


@require_safe
@readers
def test_page(request: MemberRequest, pk: str) -> HttpResponse:
    """Lead to the delivery of a test event, as soon as there is one."""
    event = get_object_or_404(request.agency.events, pk=pk, event_type=EventType.TEST)
    delivery = event.deliveries.first()
    if delivery is None:
        late = timezone.now() - event.created_at > TIMEOUT
        return render_page(request, "portal/test.html", "notifications", event=event, late=late)
    if request.headers.get("HX-Request") != "true":
        return redirect("portal_delivery", delivery.pk)
    response = HttpResponse()
    response["HX-Redirect"] = reverse("portal_delivery", args=[delivery.pk])
    return response
