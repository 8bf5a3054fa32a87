"""What every key figure means, since when, and what changed."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.kit.views import Page
from kpis.definitions import DEFINITIONS, Definition, WorkDefinition
from kpis.versions import versions_of

UNITS = {
    "share": gettext_lazy("%"), "h": gettext_lazy("hours"), "d": gettext_lazy("days"), "weeks": gettext_lazy("weeks"),
    "money": gettext_lazy("currency of the site"), "money per unit": gettext_lazy("currency of the site, per piece"),
}  # fmt: skip
GROUPS = (
    (gettext_lazy("Time and failures"), lambda each: not isinstance(each, WorkDefinition) and not each.counted),
    (gettext_lazy("Production"), lambda each: each.counted),
    (gettext_lazy("Work and money"), lambda each: isinstance(each, WorkDefinition)),
)


class DefinitionList(Page):
    """All definitions with their versions."""

    template_name = "kpis/definitions.html"
    title = gettext_lazy("Definitions")

    def get(self, request, *args, **kwargs):
        return self.draw()

    def crumbs(self) -> list[tuple]:
        return [(_("Performance"), reverse("performance"))]

    def context(self) -> dict:
        every = list(DEFINITIONS.values())
        return {
            "answer": self._answer(every),
            "groups": [(name, [self._row(each) for each in every if belongs(each)]) for name, belongs in GROUPS],
        }

    def _answer(self, every: list[Definition]) -> str:
        n = sum(each.version > 1 for each in every)
        words = ngettext("%(n)d of %(all)d figures has changed its meaning.",
                         "%(n)d of %(all)d figures have changed their meaning.", n)  # fmt: skip
        return words % {"n": n, "all": len(every)}

    def _row(self, definition: Definition) -> dict:
        return {
            "definition": definition,
            "unit": UNITS.get(definition.unit, definition.unit),
            "versions": versions_of(definition.key),
        }
