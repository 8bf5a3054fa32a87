"""Lists declared in a few lines: a table on wide screens, cards on a phone, and the same rows as a file.

    class OrderTable(Table):
        number = Column(_("Number"), link=True, phone="title", order_by="number")
        state = BadgeColumn(_("State"), order_by="state", phone="badge")
        due = WhenColumn(_("Due"), order_by="due_to")

        default_sort = "-due"
        empty = Empty(_("No open orders."), _("Raise one"), "work-order-new")

The question is in the address: `sort`, `columns`, `page`. A page is read by asking for one row more than it
shows, so that no list ever counts all its rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from django.db import models
from django.db.models import F, QuerySet
from django.http import QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from core.kit import present
from core.querysets import id_of

PHONE_ROLES = ("title", "subtitle", "badge", "detail", "hidden")
MOST_PAGES = 10**9  # PostgreSQL counts rows in 64 bits
NOTHING_YET = _("Nothing here yet.")
NOTHING = mark_safe('<span class="nothing">–</span>')


def resolve(row: Any, accessor: str) -> Any:
    """Follow "asset.site.code" from a row; a missing link on the way answers None."""
    for name in accessor.split("."):
        if row is None:
            return None
        row = row[name] if isinstance(row, dict) else getattr(row, name)
        if callable(row) and not isinstance(row, (models.Manager, type)):
            row = row()
    return row


class Column:
    """One column: where its value comes from, how it looks, what it sorts by and its part on a phone's card.

    `value`: accessor ("asset.code") or a function of the row; the column's own name by default.
    `link`: True for the row's own page, an accessor to a linked row, or a function of the row that gives an address.
    `order_by`: a field name, or a tuple of them; None means that the column cannot be sorted by.
    `phone`: "title", "subtitle", "badge", "detail" or "hidden". `hidden`: not shown until chosen.
    """

    align = "start"
    numeric = False

    def __init__(
        self,
        label: Any = "",
        value: str | Callable[[Any], Any] | None = None,
        *,
        order_by: str | tuple[str, ...] | None = None,
        link: bool | str | Callable[[Any], str | None] | None = None,
        phone: str = "detail",
        hidden: bool = False,
        align: str | None = None,
        help: Any = "",
        export: Callable[[Any], Any] | None = None,
    ):
        if phone not in PHONE_ROLES:
            raise ValueError(f"{phone!r} is not a part of a card; use one of {', '.join(PHONE_ROLES)}")
        self.name = ""
        self.label = label
        self.value = value
        self.order_by = (order_by,) if isinstance(order_by, str) else order_by
        self.link = link
        self.phone = phone
        self.hidden = hidden
        self.align = align or self.align
        self.help = help
        self._export = export

    def of(self, row: Any) -> Any:
        """The bare value in a row."""
        if callable(self.value):
            return self.value(row)
        return resolve(row, self.value or self.name)

    def html(self, row: Any) -> SafeString | str:
        """The cell as people see it."""
        value = self.of(row)
        if value is None or value == "":
            return NOTHING
        shown = self.show(value, row)
        address = self.address(row)
        return format_html('<a href="{}">{}</a>', address, shown) if address else shown

    @property
    def opening(self) -> SafeString:
        """The opening tag of its cells."""
        return format_html(
            '<td role="cell" class="phone-{} align-{}{}" data-label="{}">',
            self.phone, self.align, " numeric" if self.numeric else "", self.label,
        )  # fmt: skip

    def show(self, value: Any, row: Any) -> SafeString | str:
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        return conditional_escape(value)

    def address(self, row: Any) -> str | None:
        if not self.link:
            return None
        if self.link is True:
            return row.get_absolute_url()
        if callable(self.link):
            return self.link(row)
        target = resolve(row, self.link)
        return target.get_absolute_url() if target is not None else None

    def file_value(self, row: Any) -> Any:
        """The value for an export: numbers stay numbers, instants stay instants."""
        if self._export:
            return self._export(row)
        return self.of(row)


class NumberColumn(Column):
    """A number, right-aligned, with its unit."""

    align = "end"
    numeric = True

    def __init__(self, label: Any = "", value=None, *, digits: int | None = None, unit: Any = "", **options):
        super().__init__(label, value, **options)
        self.digits = digits
        self.unit = unit

    def show(self, value: Any, row: Any) -> SafeString | str:
        return present.figure(value, self.unit, digits=self.digits)


class DurationColumn(Column):
    """Seconds (or a timedelta), shown as hours and minutes, exported as seconds."""

    align = "end"
    numeric = True

    def show(self, value: Any, row: Any) -> SafeString | str:
        return present.duration(value)

    def file_value(self, row: Any) -> Any:
        value = super().file_value(row)
        return present.seconds(value)


class WhenColumn(Column):
    """An instant or a date in the site's zone; `relative=True` says "2 h ago" while it is recent."""

    numeric = True

    def __init__(self, label: Any = "", value=None, *, relative: bool = False, **options):
        super().__init__(label, value, **options)
        self.relative = relative

    def show(self, value: Any, row: Any) -> SafeString | str:
        return present.when(value, relative=self.relative)


class BadgeColumn(Column):
    """A state: an object with `label`, `tone` and `icon`."""

    def __init__(self, label: Any = "", value=None, *, phone: str = "badge", **options):
        super().__init__(label, value, phone=phone, **options)

    def show(self, value: Any, row: Any) -> SafeString | str:
        return present.badge(value)

    def file_value(self, row: Any) -> Any:
        value = super().file_value(row)
        return getattr(value, "label", value)


@dataclass(frozen=True)
class Empty:
    """What a list says when it has no rows, and what to do about it."""

    sentence: Any = NOTHING_YET
    action: Any = ""
    url_name: str = ""
    icon: str = "inbox"

    @property
    def url(self) -> str:
        """The action's address, or "" while the page does not exist."""
        try:
            return reverse(self.url_name) if self.url_name else ""
        except NoReverseMatch:
            return ""


@dataclass(frozen=True)
class Head:
    """A column's heading as shown: its sorting link and direction."""

    column: Column
    url: str
    direction: str  # "ascending", "descending" or ""


@dataclass(frozen=True)
class Line:
    """One row of the page: its key for the check box, and its cells as HTML."""

    pk: Any
    row: Any
    cells: SafeString


class Table:
    """Rows of one kind, sorted, paged and with the columns that were asked for."""

    columns: dict[str, Column] = {}
    default_sort: str = ""  # a column's name, "-" first for descending
    page_size = 50
    empty = Empty()

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        inherited: dict[str, Column] = {}
        for base in reversed(cls.__mro__[1:]):
            inherited |= getattr(base, "columns", {})
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Column)}
        dropped = {name for name in inherited if name in vars(cls) and vars(cls)[name] is None}
        for name, column in own.items():
            column.name = name
            column.label = column.label or name.replace("_", " ").capitalize()
            delattr(cls, name)  # so that a column may be called "rows" or "page"
        cls.columns = {name: column for name, column in (inherited | own).items() if name not in dropped}

    def __init__(self, rows: QuerySet | list, query: QueryDict | None = None, *, user=None, selectable: bool = False):
        self.source = rows
        self.query = query.copy() if query is not None else QueryDict(mutable=True)
        self.user = user
        self.selectable = selectable
        self.may_begin = True

    # --- the question --------------------------------------------------------------------------

    @property
    def shown(self) -> list[Column]:
        """The columns to show: those asked for, or all that are not hidden; a title always stays."""
        wanted = [name for name in self.query.get("columns", "").split(",") if name in self.columns]
        if not wanted:
            return [column for column in self.columns.values() if not column.hidden]
        return [column for column in self.columns.values() if column.name in wanted or column.phone == "title"]

    @property
    def sort(self) -> str:
        """The column sorted by, "-" first for descending; "" for the rows' own order."""
        asked = self.query.get("sort", "")
        column = self.columns.get(asked.removeprefix("-"))
        return asked if column and column.order_by else self.default_sort

    @property
    def page(self) -> int:
        return max(1, min(id_of(str(self.query.get("page", ""))), MOST_PAGES))

    # --- the rows ------------------------------------------------------------------------------

    def sorted(self) -> QuerySet | list:
        """All rows in the order asked for; equal rows keep a steady order by primary key."""
        if not self.sort or not isinstance(self.source, QuerySet):
            return self.source
        descending = self.sort.startswith("-")
        fields = self.columns[self.sort.removeprefix("-")].order_by or ()
        steps = []
        for field in fields:
            backwards = descending != field.startswith("-")
            name = F(field.removeprefix("-"))
            # An empty value sorts last in both directions: nobody looks for it first.
            steps.append(name.desc(nulls_last=True) if backwards else name.asc(nulls_last=True))
        return self.source.order_by(*steps, "-pk" if descending else "pk")

    def _read(self) -> list:
        if not hasattr(self, "_rows"):
            start = (self.page - 1) * self.page_size
            self._rows = list(self.sorted()[start : start + self.page_size + 1])
        return self._rows

    @property
    def rows(self) -> list:
        """The rows of this page."""
        return self._read()[: self.page_size]

    @property
    def has_next(self) -> bool:
        return len(self._read()) > self.page_size

    @property
    def has_previous(self) -> bool:
        return self.page > 1

    @property
    def first(self) -> int:
        return (self.page - 1) * self.page_size + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    def lines(self) -> Iterator[Line]:
        # The frame of a cell is the same in all rows, and a template would build it anew in each.
        shown = [(column, column.opening) for column in self.shown]
        for row in self.rows:
            key = row.pk if isinstance(row, models.Model) else None
            cells = "".join(f"{opening}{conditional_escape(column.html(row))}</td>" for column, opening in shown)
            yield Line(key, row, mark_safe(cells))

    # --- addresses -----------------------------------------------------------------------------

    def url(self, **changes: Any) -> str:
        """This list's address with some parts of the question changed; None removes a part."""
        query = self.query.copy()
        for name, value in changes.items():
            if value is None:
                query.pop(name, None)
            else:
                query[name] = str(value)
        text = query.urlencode()
        return f"?{text}" if text else "?"

    def heads(self) -> list[Head]:
        heads = []
        for column in self.shown:
            if not column.order_by:
                heads.append(Head(column, "", ""))
                continue
            sorted_by = self.sort.removeprefix("-") == column.name
            descending = sorted_by and self.sort.startswith("-")
            turn = column.name if descending or not sorted_by else f"-{column.name}"
            direction = ("descending" if descending else "ascending") if sorted_by else ""
            heads.append(Head(column, self.url(sort=turn, page=None), direction))
        return heads

    def all_heads(self) -> list[Head]:
        """Headings of every column that can be sorted by, for the menu that a phone has instead of headings."""
        shown = {head.column.name: head for head in self.heads()}
        return [
            shown.get(name) or Head(each, self.url(sort=name, page=None), "")
            for name, each in self.columns.items()
            if each.order_by
        ]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What a new filter leaves as it is: order and columns."""
        return [(name, self.query[name]) for name in ("sort", "columns") if self.query.get(name)]

    def choices(self) -> list[tuple[Column, bool, str]]:
        """Each column, whether it is shown, and the address that turns it on or off."""
        shown = {column.name for column in self.shown}
        found = []
        for column in self.columns.values():
            names = shown ^ {column.name}
            ordered = ",".join(name for name in self.columns if name in names)
            found.append((column, column.name in shown, self.url(columns=ordered)))
        return found

    @property
    def first_step(self) -> str:
        """Where an empty list leads, "" for those who may not take that step."""
        return self.empty.url if self.may_begin else ""

    @property
    def next_url(self) -> str:
        return self.url(page=self.page + 1)

    @property
    def previous_url(self) -> str:
        return self.url(page=self.page - 1 if self.page > 2 else None)

    # --- the file ------------------------------------------------------------------------------

    def file_head(self) -> list[str]:
        return [str(column.label) for column in self.shown]

    def file_rows(self) -> Iterator[list]:
        """Every row of the question (not only this page), read in chunks."""
        shown = self.shown
        rows = self.sorted()
        for row in rows.iterator(chunk_size=2000) if isinstance(rows, QuerySet) else rows:
            yield [column.file_value(row) for column in shown]


def file_text(value: Any, zone: tzinfo) -> str:
    """A value as text in a CSV file: ISO instants with the zone's offset, plain numbers, whatever the locale."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return timezone.localtime(value, zone).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
