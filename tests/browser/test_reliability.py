"""The Reliability page in a real browser."""

import pytest

from assets.models import AssetKind
from tests.browser.conftest import DESK, PHONE
from tests.kpis.test_studying import now as now  # the fixtures
from tests.kpis.test_studying import worn as worn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_sticks_out_of_the_page_or_its_card(visit, worn, size, dark):
    for asset, name in ((worn.labeller, "Tunnel pasteuriser"), (worn.palletiser, "Empty bottle inspector")):
        asset.kind = AssetKind.objects.create(code=name.split()[0].lower(), name=name)
        asset.save()
    seen = visit("manager", size=size, dark=dark)
    for query in ("", f"?asset={worn.filler.pk}", "?kind=filler"):
        page = seen.goto(f"/performance/reliability/{query}")
        assert (query, seen.overflow()) == (query, 0)
        inside = "box => box.scrollWidth <= box.clientWidth"
        for box in page.locator(".window-choices .btn, .chart-grid > .card").all():
            assert box.evaluate(inside), box.inner_text()
    assert seen.page.get_by_role("button", name="Work it out").is_enabled()
    assert seen.violations() == []
