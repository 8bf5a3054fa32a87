"""The rules of a site that a figure follows, in words."""

from django.utils.translation import gettext as _

from core.models import Site
from kpis.definitions import FACTORS, OEE, Definition, WorkDefinition
from kpis.profiles import in_performance

OF_FAILURES = ("mtbf", "mtbf_by_items", "mttr")


def rules(definition: Definition, site: Site) -> list[str]:
    """One sentence for each setting of the site that says what the figure counts."""
    found = []
    if counts_failures(definition):
        found.append(merging(site.failure_merge_gap))
    if definition.key in (OEE, *FACTORS):
        found.append(_("OEE profile: %(profile)s.") % {"profile": site.get_oee_profile_display()})
    if not keeps_former_values(definition, site):
        found.append(_("What it was before is not told, since short stops are not kept with former reports."))
    return found


def keeps_former_values(definition: Definition, site: Site) -> bool:
    """Whether what was reported before can be formed again: revisions keep no lost time by loss class."""
    return not (definition.profiled and in_performance(site))


def counts_failures(definition: Definition) -> bool:
    """Whether the figure is made of failure events."""
    return definition.key in OF_FAILURES or (isinstance(definition, WorkDefinition) and definition.records == "repairs")


def merging(gap: int) -> str:
    """Which failures are one event, by the site's merge gap in minutes."""
    if not gap:
        return _("Failures while the asset is still down count as one (merge gap 0 min).")
    words = _("Failures less than %(minutes)d min after the end of the one before count as one (merge gap).")
    return words % {"minutes": gap}
