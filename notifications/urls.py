from django.urls import path

from notifications.portal import channel, confirmations, editing, log, preview, setup, trial

urlpatterns = [
    path("verify/<str:token>", confirmations.verify, name="verify"),
    path("unsubscribe/<str:token>", confirmations.unsubscribe, name="unsubscribe"),
    path("bounces", confirmations.bounce, name="bounces"),
    path("notifications", setup.setup_page, name="portal_notifications"),
    path("notifications/add/<slug:kind>", editing.add_channel, name="portal_channel_add"),
    path("notifications/channels/<str:pk>", channel.channel_page, name="portal_channel"),
    path("notifications/channels/<str:pk>/edit", editing.edit_channel, name="portal_channel_edit"),
    path("notifications/channels/<str:pk>/test", trial.send_test, name="portal_channel_test"),
    path("notifications/channels/<str:pk>/rotate", channel.rotate_secret, name="portal_channel_rotate"),
    path("notifications/channels/<str:pk>/replay", channel.replay_channel, name="portal_channel_replay"),
    path("notifications/channels/<str:pk>/<slug:button>", channel.press_button, name="portal_channel_press"),
    path("notifications/tests/<str:pk>", trial.test_page, name="portal_test"),
    path("notifications/preview", preview.preview_page, name="portal_previews"),
    path("notifications/preview/<slug:event_type>", preview.preview_page, name="portal_preview"),
    path("notifications/deliveries", log.delivery_list, name="portal_deliveries"),
    path("notifications/deliveries/<str:pk>", log.delivery_page, name="portal_delivery"),
    path("notifications/deliveries/<str:pk>/resend", log.delivery_resend, name="portal_delivery_resend"),
]
