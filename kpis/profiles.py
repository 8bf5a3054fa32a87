"""What the OEE profile of a site means: which stops are losses of performance and not of availability."""

from core.models import OeeProfile, Site

IN_PERFORMANCE: dict[str, tuple[str, ...]] = {
    OeeProfile.RECORDED: (),
    OeeProfile.SHORT_STOPS_IN_PERFORMANCE: ("short",),
}


def in_performance(site: Site) -> tuple[str, ...]:
    """The loss classes of stops that are performance losses at the site."""
    return IN_PERFORMANCE[site.oee_profile]
