"""Words for how an imported file was read."""

from django import template
from django.utils.translation import gettext as _

from core.imports.dates import FORMATS

register = template.Library()


@register.filter
def delimiter_name(sign: str) -> str:
    """The delimiter as a word."""
    names = {",": _("comma"), ";": _("semicolon"), "\t": _("tab"), "|": _("bar")}
    return names.get(sign, sign)


@register.filter
def date_format_name(slug: str) -> str:
    """An example of the date format that was named."""
    return FORMATS[slug].example if slug in FORMATS else slug
