"""The kit's template tags; every template has them without loading."""

import json
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

from django import forms, template
from django.core.serializers.json import DjangoJSONEncoder
from django.forms import BoundField
from django.template.base import (
    FilterExpression,
    Node,
    NodeList,
    Parser,
    Token,
    render_value_in_context,
    token_kwargs,
)
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from core.kit import exports, icons, present
from core.kit.badges import Badge
from core.kit.charting import ChartPage
from core.kit.charts import Chart, Word

register = template.Library()


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """An icon by its Tabler name; the word beside it says what it means."""
    return icons.svg(name, css) if name else SafeString("")


@register.simple_tag
def badge(state: Any, tone: str = "", icon: str = "", size: str = "") -> SafeString:
    """A state as icon, word and colour: an object with label, tone and icon, or a word with its tone."""
    if tone:
        state = Badge(state, tone, icon)
    return present.badge(state, large=size == "lg")


@register.simple_tag
def duration(value: Any) -> SafeString:
    return present.duration(value)


@register.simple_tag
def when(moment: Any, relative: bool = True) -> SafeString:
    return present.when(moment, relative=relative)


@register.simple_tag
def figure(value: Any, unit: Any = "", digits: int | str | None = None) -> SafeString:
    """A number with its unit, or "no data"; an include that was given no digits hands over ""."""
    return present.figure(None if value == "" else value, unit, digits=None if digits == "" else digits)


@register.inclusion_tag("components/chart.html", takes_context=True)
def chart(context: template.Context, chart: Chart, heading: bool = True) -> dict:
    """A `core.kit.charts.Chart`, with its table and its downloads."""
    number = context.render_context.get("charts", 0) + 1
    context.render_context["charts"] = number
    request = context.get("request")
    # Several panels may be swapped into one page, so the address keeps their ids apart.
    address = request.get_full_path() if request else ""
    page = context.get("page")
    place = f"{crc32(f'{address} {chart.title}'.encode()):x}-{number}"
    return {
        "chart": chart,
        "id": f"chart-{place}",
        "heading": heading,
        "option": as_json(chart.option),
        "files": chart_files(chart, chart.files or getattr(page, "chart_files", "")),
        "file": chart.file or (page.chart_file(chart) if chart.key and isinstance(page, ChartPage) else chart.title),
    }


@register.simple_tag(takes_context=True)
def chart_rows(context: template.Context, chart: Chart) -> SafeString:
    """The rows of the table behind a chart: hundreds of cells, for which a template would take many times as long."""
    rows = []
    for label, cells in chart.cells():
        head = f'<th scope="row">{render_value_in_context(label, context)}</th>'
        rows.append(f"<tr>{head}{''.join(cell(*each) for each in cells)}</tr>")
    return mark_safe("".join(rows))


def cell(value: Any, digits: int, word: Word | None) -> str:
    """A value of the table, or what is said instead of it; after it a mark, and why."""
    if word is None:
        return f'<td class="align-end numeric">{present.figure(value, digits=digits)}</td>'
    missing = value is None and word.missing
    said = (
        format_html('<span class="no-data">{}</span>', word.missing)
        if missing
        else present.figure(value, digits=digits)
    )
    mark = f" {present.badge(word.badge)}" if word.badge else ""
    why = format_html('<span class="chart-why">{}</span>', word.reason) if word.reason else ""
    return f'<td class="align-end numeric">{said}{mark}{why}</td>'


def chart_files(chart: Chart, address: str) -> list[tuple[str, str]]:
    """(label, address) of each file of the table behind the chart."""
    if not (chart.key and address):
        return []
    joined = f"{address}{'&' if '?' in address else '?'}"
    return [
        (label, f"{joined}{urlencode({'chart': chart.key, 'format': format})}")
        for format, label in exports.FORMATS.items()
    ]


def as_json(value: Any) -> SafeString:
    """JSON that may stand inside a script element."""
    text = json.dumps(value, cls=DjangoJSONEncoder, allow_nan=False, ensure_ascii=False)
    for letter, escape in (("<", "\\u003C"), (">", "\\u003E"), ("&", "\\u0026")):
        text = text.replace(letter, escape)
    return mark_safe(text)


@register.filter
def control(field: BoundField) -> SafeString:
    """A form field's widget with the classes of its kind."""
    return field.as_widget(attrs={"class": f"{css_of(field.field.widget)} {field.css_classes()}".strip()})


def css_of(widget: forms.Widget) -> str:
    own = widget.attrs.get("class", "")
    if isinstance(widget, forms.CheckboxInput):
        kind = "form-check-input"
    elif isinstance(widget, (forms.CheckboxSelectMultiple, forms.RadioSelect)):
        kind = ""
    elif isinstance(widget, forms.Select):
        kind = "form-select"
    else:
        kind = "form-control"
    return f"{kind} {own}".strip()


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def is_group(field: BoundField) -> bool:
    """Whether the field is several check boxes or radio buttons, which need a legend instead of a label."""
    return isinstance(field.field.widget, (forms.CheckboxSelectMultiple, forms.RadioSelect))


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The address' question with some parts changed; None removes a part: `{% query page=2 %}`."""
    asked = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            asked.pop(name, None)
        else:
            asked[name] = str(value)
    return f"?{asked.urlencode()}"


@register.filter
def initials(person: Any) -> str:
    """Two letters for a round picture of a person."""
    words = str(person).replace("_", " ").replace(".", " ").split()
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words[:1])).upper()


@register.filter
def may(user: Any, capability: str) -> "May":
    """`{% if request.user|may:"plan"|at:request.site %}`"""
    return May(user, capability)


class May:
    """Half of the question whether a user may do something; `at` completes it."""

    def __init__(self, user: Any, capability: str):
        self.user = user
        self.capability = capability


@register.filter
def at(question: May, site: Any) -> bool:
    return site is not None and question.user.is_authenticated and question.user.can(question.capability, site)


class CardNode(Node):
    """`{% card "Title" icon="tool" %}…{% endcard %}`: a surface with a heading."""

    def __init__(self, title: FilterExpression | None, options: dict[str, FilterExpression], inner: NodeList):
        self.title = title
        self.options = options
        self.nodelist = inner

    def render(self, context: template.Context) -> str:
        options = {name: value.resolve(context) for name, value in self.options.items()}
        inner = self.nodelist.render(context)
        title = self.title.resolve(context) if self.title else ""
        head = SafeString("")
        if title:
            link = options.get("url")
            tail = format_html('<a class="card-more" href="{}">{}</a>', link, options.get("more", "")) if link else ""
            head = format_html(
                '<header class="card-header"><h2 class="card-title">{}{}</h2>{}</header>',
                icon(options.get("icon", "")),
                conditional_escape(title),
                tail,
            )
        body = inner if options.get("flush") else f'<div class="card-body">{inner}</div>'
        css = options.get("css", "")
        return format_html('<section class="card {}">{}{}</section>', css, head, mark_safe(body))


@register.tag
def card(parser: Parser, token: Token) -> CardNode:
    bits = token.split_contents()[1:]
    options = {}
    title = None
    if bits and "=" not in bits[0].split('"')[0]:
        title = parser.compile_filter(bits.pop(0))
    options = token_kwargs(bits, parser)
    if bits:
        raise template.TemplateSyntaxError(f"card: cannot read {bits}")
    inner = parser.parse(("endcard",))
    parser.delete_first_token()
    return CardNode(title, options, inner)
