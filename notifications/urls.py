from django.urls import path

from notifications.portal import confirmations, log, preview, setup

urlpatterns = [
    path("verify/<str:token>", confirmations.verify, name="verify"),
    path("unsubscribe/<str:token>", confirmations.unsubscribe, name="unsubscribe"),
    path("bounces", confirmations.bounce, name="bounces"),
    path("notifications", setup.setup_page, name="portal_notifications"),
    path("notifications/add/<slug:kind>", setup.add_channel, name="portal_channel_add"),
    path("notifications/channels/<str:pk>/edit", setup.edit_channel, name="portal_channel_edit"),
    path("notifications/channels/<str:pk>/rotate", setup.rotate_secret, name="portal_channel_rotate"),
    path("notifications/channels/<str:pk>/replay", setup.replay_channel, name="portal_channel_replay"),
    path("notifications/channels/<str:pk>/<slug:button>", setup.press_button, name="portal_channel_press"),
    path("notifications/preview", preview.preview_page, name="portal_previews"),
    path("notifications/preview/<slug:event_type>", preview.preview_page, name="portal_preview"),
    path("notifications/deliveries", log.delivery_list, name="portal_deliveries"),
    path("notifications/deliveries/<str:pk>", log.delivery_page, name="portal_delivery"),
    path("notifications/deliveries/<str:pk>/resend", log.delivery_resend, name="portal_delivery_resend"),
]
