"""How plans speak in templates."""

from datetime import datetime

from django import template

from core.models import Site
from workorders.recurrence import Trigger
from workorders.trigger_words import full_sentence

register = template.Library()


@register.filter
def in_words(trigger: Trigger) -> str:
    """The trigger as a sentence: "Every week on Monday at 06:00."."""
    return full_sentence(trigger)


@register.filter(expects_localtime=False)
def on_clock(moment: datetime, site: Site) -> datetime:
    """The moment as the site's clock shows it, without its zone, so that no other clock is applied."""
    return site.local(moment).replace(tzinfo=None)
