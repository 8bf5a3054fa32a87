"""Pages of few lines: a list, a row with its tabs; forms and verbs stand in `core.kit.form_views`.

Permission stands in two places: rows come from `visible_to(user)` (a row of another site is a 404), and `may`
answers for the page as a whole (403). What a domain verb refuses is shown beside what was typed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views import View

from core.errors import DomainError, NotAllowed
from core.kit import exports, panels
from core.kit.badges import Action
from core.kit.forms import make_form
from core.kit.tables import Table
from core.middleware import choose_site
from core.models import Site
from core.querysets import id_of


class Page(View):
    """What all pages share: a title, a way back, who may see it, and how a refusal is answered."""

    title: Any = ""
    template_name: str
    parent: tuple[Any, str] | None = None  # (label, address) of the page above

    def may(self, user) -> bool:
        """Whether this user may open the page at all."""
        return True

    def page_title(self) -> Any:
        return self.title

    def crumbs(self) -> list[tuple[Any, str]]:
        """The way from the top to this page, without the page itself."""
        return [self.parent] if self.parent else []

    def actions(self) -> list[Action]:
        """Buttons at the top of the page, the most important first."""
        return []

    def context(self) -> dict:
        """More for the template."""
        return {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.may(request.user):
            raise PermissionDenied(_("Your role at this site does not include this page."))
        try:
            return super().dispatch(request, *args, **kwargs)
        except NotAllowed as error:
            raise PermissionDenied(error.message) from error

    def draw(self, template: str | None = None, *, status: int = 200, **extra: Any) -> HttpResponse:
        context = {
            "page": self,
            "title": self.page_title(),
            "crumbs": self.crumbs(),
            "actions": self.actions(),
            **self.context(),
            **extra,
        }
        return render(self.request, template or self.template_name, context, status=status)

    @property
    def next(self) -> str:
        """Where the user wants to go afterwards, as the address or the form says; not yet checked."""
        return self.request.POST.get("next") or self.request.GET.get("next") or ""

    def back(self, fallback: str = "/") -> str:
        """Where the user came from, if that is an address of ours."""
        wanted = self.next
        safe = url_has_allowed_host_and_scheme(wanted, {self.request.get_host()}, self.request.is_secure())
        return wanted if wanted and safe else fallback


def visible(model: type[models.Model], user) -> QuerySet:
    """The model's rows that the user may see; a model that cannot say so is refused."""
    return model._default_manager.visible_to(user)


# --- Lists -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bulk:
    """Something to do with many chosen rows: `do(rows, by=user, **cleaned)` answers with a sentence.

    `form` asks for what is needed first; `may(user, site)` decides who sees the button.
    """

    name: str
    label: Any
    do: Callable[..., Any]
    icon: str = ""
    tone: str = ""
    form: type[forms.Form] | None = None
    may: Callable[[Any, Any], bool] = lambda user, site: True


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the address without it."""

    label: Any
    value: Any
    url: str


class ListPage(Page):
    """A table with filters, sorting, column choice, export and bulk actions; the address is the question."""

    template_name = "generic/list.html"
    partial_name = "generic/_list.html"
    model: type[models.Model]
    table: type[Table]
    filterset: type | None = None
    all_sites = False  # show rows of every visible site, not only of the chosen one
    bulk: list[Bulk] = []
    export_name = ""

    def rows(self) -> QuerySet:
        """All rows of the page before filters: visible to the user, at the chosen site."""
        rows = visible(self.model, self.request.user)
        site = getattr(self.request, "site", None)
        if site is not None and not self.all_sites and hasattr(rows, "at"):
            rows = rows.at(site)
        return rows

    def answer(self) -> Any:
        """The page's top line: what is going on, in words."""
        return ""

    def page_title(self) -> Any:
        return self.title or self.model._meta.verbose_name_plural.capitalize()

    @cached_property
    def filters(self):
        if self.filterset is None:
            return None
        return self.filterset(self.request.GET or None, queryset=self.rows(), request=self.request)

    @cached_property
    def filtered(self) -> QuerySet:
        """The rows after the filters; an invalid filter shows its error and no rows."""
        if self.filters is None:
            return self.rows()
        return self.filters.qs if self.filters.is_valid() or not self.filters.is_bound else self.rows().none()

    @cached_property
    def offered(self) -> list[Bulk]:
        site = getattr(self.request, "site", None)
        return [bulk for bulk in self.bulk if bulk.may(self.request.user, site)]

    def make_table(self) -> Table:
        return self.table(self.filtered, self.request.GET, user=self.request.user, selectable=bool(self.offered))

    def chips(self, table: Table) -> list[Chip]:
        """The filters in force, each with the address that drops it."""
        if self.filters is None or not self.filters.is_bound or not self.filters.form.is_valid():
            return []
        found = []
        for name, value in self.filters.form.cleaned_data.items():
            if value in (None, "", [], ()) or (isinstance(value, QuerySet) and not value.exists()):
                continue
            field = self.filters.form.fields[name]
            keys = [key for key in self.request.GET if key == name or key.startswith(f"{name}_")]
            found.append(Chip(field.label, said(field, value), table.url(**dict.fromkeys(keys), page=None)))
        return found

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        table = self.make_table()
        wanted = request.GET.get("format")
        if wanted in exports.FORMATS:
            return exports.respond(table, self.export_name or self.model._meta.model_name, wanted)
        partial = getattr(request, "htmx", False) and request.htmx.target == "list"
        table.may_begin = table.empty.url in {action.url for action in self.actions()}
        return self.draw(
            self.partial_name if partial else None,
            table=table,
            filters=self.filters,
            chips=self.chips(table),
            bulk=self.offered,
            answer="" if partial else self.answer(),
            exports=[(label, table.url(format=key, page=None)) for key, label in exports.FORMATS.items()],
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A bulk action on the chosen rows."""
        bulk = next((each for each in self.offered if each.name == request.POST.get("bulk")), None)
        if bulk is None:
            raise PermissionDenied(_("Your role at this site does not include this action."))
        here = request.get_full_path()
        keys = [key for key in map(id_of, request.POST.getlist("selected")) if key]
        rows = self.rows().filter(pk__in=keys)
        if not keys:
            messages.warning(request, _("Choose at least one row first."))
            return HttpResponseRedirect(here)
        cleaned: dict = {}
        if bulk.form:
            asked = "confirmed" in request.POST
            form = make_form(bulk.form, request, request.POST if asked else None)
            if not asked or not form.is_valid():
                return self.draw(
                    "generic/bulk.html",
                    status=422 if asked else 200,
                    form=form,
                    action=bulk,
                    keys=keys,
                    back=here,
                )
            cleaned = form.cleaned_data
        try:
            said = bulk.do(rows, by=request.user, **cleaned)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, said)
        return HttpResponseRedirect(here)


def said(field: forms.Field, value: Any) -> str:
    """A filter's value as people read it."""
    choices = getattr(field, "choices", None)
    if isinstance(value, slice):
        return f"{value.start or '…'} – {value.stop or '…'}"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (list, tuple, QuerySet)):
        return ", ".join(said(field, each) for each in value)
    if choices is not None and not isinstance(value, models.Model):
        return str({str(key): label for key, label in choices}.get(str(value), value))
    return str(value)


# --- One row -----------------------------------------------------------------------------------------


class ObjectPage(Page):
    """A page about one row, found among the rows that the user may see."""

    model: type[models.Model]

    def rows(self) -> QuerySet:
        return visible(self.model, self.request.user)

    @cached_property
    def object(self) -> models.Model:
        return get_object_or_404(self.rows(), pk=self.kwargs["pk"])

    def may_object(self, user, obj: models.Model) -> bool:
        """Whether this user may open the page for this row (403 if not)."""
        return True

    def context(self) -> dict:
        return {"object": self.object}

    def page_title(self) -> Any:
        return self.title or str(self.object)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        go_to_site_of(self.object, request)
        if not self.may_object(request.user, self.object):
            raise PermissionDenied(_("Your role at this site does not include this."))
        return super().dispatch(request, *args, **kwargs)


def go_to_site_of(obj: models.Model, request: HttpRequest) -> None:
    """A page about a row of another site than the chosen one goes over to that site, its clock and its lists."""
    site = getattr(obj, "site", None)
    if isinstance(site, Site) and site != getattr(request, "site", None) and site in getattr(request, "sites", []):
        choose_site(request, site)


class DetailPage(ObjectPage):
    """A row: its name, its state, what can be done, and one tab at a time (`?tab=slug`)."""

    template_name = "generic/detail.html"
    panel_template = "generic/_panel.html"

    def badges(self) -> list:
        """States beside the title."""
        return []

    def answer(self) -> Any:
        """What is going on with this row, in words."""
        return ""

    def crumbs(self) -> list[tuple[Any, str]]:
        """Back to the page of ours that led here, if the address names one (`?next=`)."""
        came_from = self.back("")
        return [(_("Back"), came_from)] if came_from else super().crumbs()

    def facts(self) -> list[tuple[Any, Any]]:
        """A few (label, value) pairs that belong above the tabs."""
        return []

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = panels.of(self.object, request.user)
        slug = request.GET.get("tab") or (found[0].slug if found else "")
        panel = next((each for each in found if each.slug == slug), None)
        if slug and panel is None:
            raise Http404(f"No tab {slug!r}")
        inner = {"panel": panel, **(panel.context(request, self.object) if panel else {})}
        if getattr(request, "htmx", False) and request.htmx.target == "panel":
            return render(request, self.panel_template, {"object": self.object, "page": self, **inner})
        tabs = [(each, each.slug == slug, each.count(self.object, request.user)) for each in found]
        inner["actions"] = [
            *(action for each in found for action in each.actions(self.object, request.user)), *self.actions(),
        ]  # fmt: skip
        return self.draw(tabs=tabs, badges=self.badges(), answer=self.answer(), facts=self.facts(), **inner)
