"""`{% load leadline %}`: `{{ moment|ago }}` and `{% badge "text" "good" %}`."""

from django import template

from accounts import display

register = template.Library()
register.filter("ago", display.ago)
register.filter("duration", display.duration)
register.simple_tag(display.badge, name="badge")
