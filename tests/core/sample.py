"""A small app of pages over the plant's assets, made with the kit alone; the tests of the kit drive it."""

from django import forms as django_forms
from django.http import HttpResponse
from django.urls import include, path
from django_filters import CharFilter, ChoiceFilter, FilterSet

from assets.models import Asset
from assets.models.asset import Criticality, Level
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from core.kit import charts, lookups, panels, trends
from core.kit.badges import Action, Badge
from core.kit.form_views import ActionPage, FormPage
from core.kit.forms import Form, ModelForm, ReasonForm, SearchSelect
from core.kit.tables import BadgeColumn, Column, DurationColumn, Empty, NumberColumn, Table, WhenColumn
from core.kit.views import Bulk, DetailPage, ListPage, Page

TONES = {"A": ("stop", "alert-octagon"), "B": ("warn", "alert-triangle"), "C": ("idle", "circle")}


def criticality(asset: Asset) -> Badge:
    tone, icon = TONES[asset.criticality]
    return Badge(asset.get_criticality_display(), tone, icon)


class SampleFilter(FilterSet):
    name = CharFilter(lookup_expr="icontains", label="Name")
    level = ChoiceFilter(choices=Level.choices, label="Level")
    criticality = ChoiceFilter(choices=Criticality.choices, label="Criticality")

    class Meta:
        model = Asset
        fields = ["name", "level", "criticality"]


class SampleTable(Table):
    code = Column("Code", link=lambda row: f"/sample/{row.pk}/", order_by="code", phone="title")
    name = Column("Name", order_by="name", phone="subtitle")
    criticality = BadgeColumn("Criticality", criticality, order_by="criticality")
    parent = Column("Parent", "parent.code")
    threshold = DurationColumn("Short stop", "short_stop_seconds", order_by="short_stop_seconds")
    cost = NumberColumn("Hour down", "downtime_cost", unit="€", order_by="downtime_cost", digits=2)
    commissioned = WhenColumn("Commissioned", order_by="commissioned")
    kind = Column("Kind", "kind.name", hidden=True)

    default_sort = "code"
    empty = Empty("No assets here yet.", "Add the first", "sample-new", "building-factory-2")


class RenameForm(Form):
    name = django_forms.CharField(max_length=20)


def rename(rows, *, by, name: str) -> str:
    if name == "forbidden":
        raise Refused("No asset may be called that.", code="name")
    return f"{rows.update(name=name)} renamed by {by.username}."


class SampleList(ListPage):
    model = Asset
    table = SampleTable
    filterset = SampleFilter
    title = "Machines"
    bulk = [
        Bulk(
            "rename",
            "Rename",
            rename,
            icon="pencil",
            form=RenameForm,
            may=lambda user, site: user.can("edit", site),
        )
    ]

    def rows(self):
        return super().rows().select_related("parent", "kind")

    def answer(self):
        return "One line is down since 09:40, two machines wait for parts."

    def actions(self):
        return [
            Action("New machine", "/sample/new/", "plus", tone="primary"),
            Action("Is down", "/sample/", "player-pause", tone="stop", post=True, confirm="Really?"),
        ]


@panels.register("assets.asset")
class SamplePanel(panels.Panel):
    slug, label, icon, order = "sample-overview", "Overview", "info-circle", -2
    template = "sample/overview.html"

    def applies(self, obj, user) -> bool:
        return obj.site.code == "berlin" and SampleDetail.active

    def context(self, request, obj) -> dict:
        days = [f"{day:02} Nov" for day in range(1, 15)]
        values = [92, 93.5, None, None, 91, 90.2, 95, 96.1, None, 94, 93, 92.5, 97, 96]
        trend = trends.trend(
            "Availability", days, [trends.Series("Line 1", values)], unit="%", target=95, low=80, high=100
        )
        steps = [
            charts.Step("Planned", 100, total=True),
            charts.Step("Stops", -8.4),
            charts.Step("Slow", -3.1),
            charts.Step("Scrap", -1.2),
            charts.Step("OEE", 87.3, total=True),
        ]
        return {
            "trend": trend,
            "loss": charts.waterfall("Where the time went", steps, unit="%"),
            "pareto": charts.pareto("Stops", ["Jam", "No bottles", "Label", "Sensor"], [310, 150, 45, 20], unit="min"),
            "nothing": trends.trend("Nothing", days, [trends.Series("Line 1", [None] * 14)]),
            "states": [Badge("Running", "ok", "player-play"), Badge("Planned", "watch", "calendar"),
                       Badge("Late", "warn", "clock-exclamation"), Badge("Down", "stop", "player-pause"),
                       Badge("Draft", "idle", "pencil")],
        }  # fmt: skip


@panels.register("assets.asset")
class SampleHistory(panels.Panel):
    slug, label, icon, order = "sample-history", "Diary", "history", -1
    template = "components/timeline.html"

    def applies(self, obj, user) -> bool:
        return obj.site.code == "berlin" and SampleDetail.active

    def count(self, obj, user) -> int:
        return history(obj).count()

    def context(self, request, obj) -> dict:
        return {"events": history(obj)[:50]}


class SampleDetail(DetailPage):
    model = Asset
    active = False  # the real asset page must not show the sample's tabs in other tests
    parent = ("Machines", "/sample/")

    def badges(self):
        return [criticality(self.object)]

    def facts(self):
        return [("Line", "L1"), ("Manufacturer", self.object.manufacturer), ("Commissioned", self.object.commissioned)]

    def actions(self):
        return [
            Action("Edit", f"/sample/{self.object.pk}/edit/", "pencil"),
            Action("Archive", f"/sample/{self.object.pk}/archive/", "archive", tone="stop"),
        ]


class SampleForm(ModelForm):
    class Meta:
        model = Asset
        fields = ["code", "name", "parent", "commissioned", "criticality", "stops_parent", "description"]
        widgets = {"parent": SearchSelect}


class SampleEdit(FormPage):
    model = Asset
    form_class = SampleForm
    parent = ("Machines", "/sample/")

    def may_object(self, user, obj) -> bool:
        return user.can("edit", obj.site)

    def save(self, form):
        if form.cleaned_data["name"] == "refused":
            raise Refused("Choose another name.", code="name", field="name")
        asset = form.save(commit=False)
        asset.site = self.request.site
        asset.version += 1
        asset.save()
        return asset

    def success_url(self, obj):
        return f"/sample/{obj.pk}/"


class SampleArchive(ActionPage):
    model = Asset
    title = "Archive"
    sentence = "It disappears from the lists; its history stays."
    tone = "stop"
    form_class = ReasonForm

    def crumbs(self):
        return []

    def do(self, obj, *, reason: str):
        if reason == "conflict":
            raise Conflict("Somebody was faster.", code="conflict")
        if not self.request.user.can("edit", obj.site):
            raise NotAllowed("Planners only.")
        obj.description = reason
        obj.save(update_fields=["description"])
        return f"{obj.code} is archived."

    def success_url(self):
        return "/sample/"


class Broken(Page):
    def get(self, request):
        raise RuntimeError("a mistake of ours")


class PlannersOnly(Page):
    template_name = "generic/search.html"

    def may(self, user) -> bool:
        return user.can("plan", self.request.site)

    def get(self, request):
        return HttpResponse("planned")


lookups.register(lookups.Lookup("assets.asset", ("code", "name"), label="Assets", icon="box", order=10))

urlpatterns = [
    path("", include("cmms.urls")),
    path("sample/", SampleList.as_view(), name="sample"),
    path("sample/new/", SampleEdit.as_view(), name="sample-new"),
    path("sample/broken/", Broken.as_view()),
    path("sample/planners/", PlannersOnly.as_view()),
    path("sample/<int:pk>/", SampleDetail.as_view(), name="asset"),
    path("sample/<int:pk>/edit/", SampleEdit.as_view()),
    path("sample/<int:pk>/archive/", SampleArchive.as_view()),
]
