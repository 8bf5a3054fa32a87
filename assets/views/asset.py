"""Pages of the asset tree: list, tree, one asset and what can be done with it."""

from datetime import timedelta
from functools import cached_property

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from assets import groups, states, tree
from assets.filters import AssetPageFilter
from assets.forms.asset import AssetForm, GroupForm, NewAssetForm, PlaceForm
from assets.labels import Label
from assets.models import Asset, Downtime, DowntimeReason, RedundancyGroup
from assets.outline import outline
from assets.tables import AssetTable
from core.kit.badges import Action
from core.kit.form_views import ActionPage, FormPage
from core.kit.present import when_text
from core.kit.views import DetailPage, ListPage, ObjectPage, Page

MOST_REASONS = 9  # as many as fit a phone


def down_sentence(site, user) -> str:
    """What is down at the site, in words."""
    stops = Downtime.objects.visible_to(user).at(site).open().select_related("asset").order_by("start")
    down = list(stops[:4])
    if not down:
        return _("Nothing is down.")
    named = ", ".join(
        str(_("%(code)s since %(since)s")) % {"code": stop.asset.code, "since": when_text(stop.start, relative=False)}
        for stop in down[:3]
    )
    if len(down) > 3:
        count = stops.count()
        return ngettext("%(count)d asset is down: %(named)s …", "%(count)d assets are down: %(named)s …", count) % {
            "count": count, "named": named,
        }  # fmt: skip
    return _("Down: %(named)s.") % {"named": named}


class AssetList(ListPage):
    model, table, filterset = Asset, AssetTable, AssetPageFilter
    title = _("Assets")
    export_name = "assets"

    def rows(self):
        rows = super().rows().with_state().select_related("parent", "kind", "site")
        return rows if self.request.GET.get("archived") else rows.filter(archived_at=None)

    def answer(self):
        return down_sentence(self.request.site, self.request.user) if self.request.site else ""

    def actions(self):
        found = [Action(_("Tree"), reverse("asset-tree"), "binary-tree")]
        if self.request.site and self.request.user.can("edit", self.request.site):
            found.append(Action(_("New asset"), reverse("asset-new"), "plus", tone="primary"))
        return found


class AssetTree(Page):
    """The whole site as an outline."""

    title = _("Asset tree")
    template_name = "assets/tree.html"
    parent = (_("Assets"), reverse_lazy("assets"))

    def get(self, request: HttpRequest) -> HttpResponse:
        nodes = outline(request.site, request.user) if request.site else []
        return self.draw(nodes=nodes, answer=down_sentence(request.site, request.user) if request.site else "")

    def actions(self):
        if self.request.site and self.request.user.can("edit", self.request.site):
            return [Action(_("New asset"), reverse("asset-new"), "plus", tone="primary")]
        return []


class AssetPage(DetailPage):
    model = Asset
    template_name = "assets/asset.html"
    parent = (_("Assets"), reverse_lazy("assets"))

    def rows(self):
        return super().rows().select_related("site", "kind", "parent", "redundancy_group")

    @cached_property
    def above(self) -> list[Asset]:
        """What the asset stands in, from the top down."""
        found = Asset.objects.in_bulk(self.object.ancestor_ids)
        return [found[pk] for pk in self.object.ancestor_ids]

    @cached_property
    def stop(self) -> Downtime | None:
        return self.object.downtimes.open().select_related("reason", "entered_by").with_lasted().first()

    @cached_property
    def last_stop(self) -> Downtime | None:
        """The newest stop that is over and has no reason yet, while somebody may still remember it."""
        recent = timezone.now() - timedelta(hours=12)
        threshold = timedelta(seconds=self.object.short_stop_seconds)
        last = self.object.downtimes.filter(end__gte=recent).with_lasted().order_by("-end").first()
        return last if last and last.reason_id is None and last.lasted >= threshold else None

    def crumbs(self):
        if self.back(""):
            return super().crumbs()
        return [*super().crumbs(), *((asset.code, asset.get_absolute_url()) for asset in self.above)]

    def badges(self):
        return [state for state in (states.state_of(self.object), states.criticality_of(self.object)) if state]

    def may_record(self) -> bool:
        return self.request.user.can("record", self.object.site)

    def context(self):
        asset, asks = self.object, None
        if self.may_record() and not asset.archived_at:
            asks = self.stop or self.last_stop
        reasons = []
        if asks is not None and asks.reason_id is None:
            reasons = DowntimeReason.objects.for_asset(asset).most_used_first(asset)[:MOST_REASONS]
        return {
            **super().context(), "stop": self.stop, "asks": asks, "reasons": reasons, "may_record": self.may_record(),
            "can_stop": self.may_record() and not asset.archived_at and not asset.is_retired,
        }  # fmt: skip

    def actions(self):
        asset, user = self.object, self.request.user
        found = [Action(_("Label"), reverse("asset-label", args=[asset.pk]), "qrcode")]
        if user.can("edit", asset.site):
            if asset.archived_at:
                return [
                    Action(_("Restore"), reverse("asset-restore", args=[asset.pk]), "archive-off", post=True),
                    *found,
                ]
            found += [
                Action(_("Edit"), reverse("asset-edit", args=[asset.pk]), "pencil"),
                Action(_("Move"), reverse("asset-move", args=[asset.pk]), "arrows-move"),
                Action(_("Archive"), reverse("asset-archive", args=[asset.pk]), "archive"),
            ]
        return found


class NewAsset(FormPage):
    model, form_class = Asset, NewAssetForm
    template_name = "assets/asset_form.html"
    title = _("New asset")
    parent = (_("Assets"), reverse_lazy("assets"))

    def may(self, user):
        return self.request.site is not None and user.can("edit", self.request.site)

    def save(self, form):
        return tree.create(self.request.site, form.cleaned_data, by=self.request.user)


class EditAsset(FormPage):
    model, form_class = Asset, AssetForm
    template_name = "assets/asset_form.html"
    parent = (_("Assets"), reverse_lazy("assets"))

    def may_object(self, user, obj):
        return user.can("edit", obj.site)

    def save(self, form):
        return tree.edit(self.object, form.cleaned_data, by=self.request.user, version=int(self.version))


class MoveAsset(ActionPage):
    model, form_class = Asset, PlaceForm
    title = _("Move")
    submit = _("Move")
    icon = "arrows-move"

    @property
    def sentence(self):
        return _("%(asset)s moves with everything below it. What happened so far stays where it happened.") % {
            "asset": self.object
        }

    def may_object(self, user, obj):
        return user.can("edit", obj.site)

    def initial(self):
        asset = self.object
        return {
            "parent": asset.parent_id,
            "stops_parent": asset.stops_parent,
            "redundancy_group": asset.redundancy_group_id,
        }

    def do(self, obj, *, parent, stops_parent, at, redundancy_group=None):
        tree.move(
            obj, parent, stops_parent=stops_parent, redundancy_group=redundancy_group, at=at, by=self.request.user
        )
        return _("%(asset)s stands in %(parent)s.") % {"asset": obj.code, "parent": parent or _("the top of the tree")}


class ArchiveAsset(ActionPage):
    model = Asset
    title = _("Archive")
    submit = _("Archive")
    icon = "archive"
    tone = "stop"

    @property
    def sentence(self):
        below = Asset.objects.under(self.object).filter(archived_at=None).count() - 1
        if not below:
            return _("%(asset)s disappears from the lists; its history stays, and it can be restored.") % {
                "asset": self.object
            }
        return ngettext(
            "%(asset)s and %(n)d asset below it disappear from the lists; history stays, and they can be restored.",
            "%(asset)s and %(n)d assets below it disappear from the lists; history stays, and they can be restored.",
            below,
        ) % {"asset": self.object, "n": below}

    def may_object(self, user, obj):
        return user.can("edit", obj.site)

    def do(self, obj):
        tree.archive(obj, by=self.request.user)
        return _("%(asset)s is archived.") % {"asset": obj}


class RestoreAsset(ActionPage):
    model = Asset
    title = _("Restore")
    submit = _("Restore")
    icon = "archive-off"

    @property
    def sentence(self):
        return _("%(asset)s comes back, with what was archived together with it.") % {"asset": self.object}

    def may_object(self, user, obj):
        return user.can("edit", obj.site)

    def do(self, obj):
        tree.restore(obj, by=self.request.user)
        return _("%(asset)s is back in the lists.") % {"asset": obj}


class GroupPage(ActionPage):
    """A new redundancy group of what stands in an asset, or a change of one."""

    model, form_class = Asset, GroupForm
    submit = _("Save")

    @cached_property
    def group(self) -> RedundancyGroup | None:
        if "group" not in self.kwargs:
            return None
        return self.object.redundancy_groups.filter(pk=self.kwargs["group"]).first()

    def page_title(self):
        return _("Redundancy group %(name)s") % {"name": self.group.name} if self.group else _("New redundancy group")

    @property
    def sentence(self):
        return _("While fewer members than needed are up, %(asset)s counts as down.") % {"asset": self.object}

    def may_object(self, user, obj):
        return user.can("edit", obj.site) and ("group" not in self.kwargs or self.group is not None)

    def initial(self):
        return {"name": self.group.name, "needed": self.group.needed} if self.group else {"needed": 1}

    def do(self, obj, *, name, needed):
        if self.group:
            groups.edit_group(self.group, name=name, needed=needed, by=self.request.user)
        else:
            groups.create_group(obj, name=name, needed=needed, by=self.request.user)
        return _("Group %(name)s is saved; move its members into it.") % {"name": name}


class LabelPage(ObjectPage):
    """QR labels to print: of the asset, or with `?below=1` of everything below it as well."""

    model = Asset
    template_name = "assets/label.html"

    def crumbs(self):
        return [(str(self.object), self.object.get_absolute_url())]

    def page_title(self):
        return _("Labels") if self.request.GET.get("below") else _("Label of %(asset)s") % {"asset": self.object.code}

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        assets = [self.object]
        if request.GET.get("below"):
            assets = Asset.objects.under(self.object).filter(archived_at=None).order_by("path")[:500]
        labels = [Label(asset, f"{settings.PUBLIC_URL}{asset.get_absolute_url()}") for asset in assets]
        return self.draw(labels=labels, below=bool(request.GET.get("below")))
