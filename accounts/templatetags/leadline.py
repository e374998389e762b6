"""Define `{% load leadline %}`: `{{ time|ago }}`, `{{ length|duration }}` and `{% badge "text" "good" %}`."""

from django import template

from accounts.core import markup

register = template.Library()
register.filter("ago", markup.ago)
register.filter("duration", markup.duration)
register.simple_tag(markup.badge, name="badge")
