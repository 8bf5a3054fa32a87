"""Pages and answers that belong to no single app: search, search boxes, the colour scheme."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views import View

from core.kit import lookups
from core.kit.views import Page

HITS = 20


class LookupView(View):
    """What a search box offers: JSON rows `{value, label, detail}` of one model, visible to the user."""

    def get(self, request: HttpRequest, model: str) -> JsonResponse:
        lookup = lookups.of(model)
        if lookup is None:
            raise Http404(f"{model} cannot be searched")
        rows = lookup.rows(request.user)
        site = getattr(request, "site", None)
        if site is not None and hasattr(rows, "at"):
            rows = rows.at(site)
        text = request.GET.get("q", "")
        found = lookup.find(rows, text) if text.strip() else rows
        detail = lookup.detail or (lambda row: "")
        hits = [{"value": row.pk, "label": str(row), "detail": str(detail(row) or "")} for row in found[:HITS]]
        return JsonResponse({"results": hits})


class SearchPage(Page):
    """Everything that matches, by kind, at all sites of the user."""

    title = _("Search")
    template_name = "generic/search.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        text = request.GET.get("q", "").strip()
        groups = []
        if text:
            for lookup in sorted(lookups.REGISTRY.values(), key=lambda each: each.order):
                rows = list(lookup.find(lookup.rows(request.user), text)[: HITS + 1])
                if rows:
                    detail = lookup.detail or (lambda row: "")
                    hits = [(row, detail(row)) for row in rows[:HITS]]
                    groups.append({"lookup": lookup, "hits": hits, "more": len(rows) > HITS})
        if len(groups) == 1 and len(groups[0]["hits"]) == 1 and not groups[0]["more"]:
            return HttpResponseRedirect(groups[0]["hits"][0][0].get_absolute_url())
        return self.draw(text=text, groups=groups)
