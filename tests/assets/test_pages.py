"""Pages of assets: what they show, what they do, what they refuse."""

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from assets import stops, tree
from assets.models import Asset, Downtime, DowntimeReason, Failure, FailureCode
from assets.stops import StopEntry
from core.kit.badges import Badge
from core.models import Event
from tests import plant as world


@pytest.fixture
def enter(client, plant):
    """`enter("planner")` logs somebody in and answers the client."""

    def log_in(who: str):
        client.force_login(getattr(plant, who))
        return client

    return log_in


@pytest.fixture
def stop(plant) -> Downtime:
    """An hour of breakdown of the filler, this day."""
    start = timezone.now() - timedelta(hours=3)
    entry = StopEntry(plant.filler, start, start + timedelta(hours=1), reason=plant.breakdown, is_failure=True)
    return stops.record_stop(entry, by=plant.technician).row


PAGES = [
    ("assets", None), ("asset-tree", None), ("asset-new", None), ("asset", "filler"), ("asset-edit", "filler"),
    ("asset-move", "filler"), ("asset-archive", "filler"), ("asset-label", "filler"), ("asset-down", "filler"),
    ("asset-back", "filler"), ("redundancy-group-new", "line"), ("downtimes", None), ("downtime-new", None),
    ("downtime", "stop"), ("downtime-edit", "stop"), ("downtime-remove", "stop"), ("failures", None),
    ("failure-new", None), ("failure", "failure"), ("failure-edit", "failure"), ("failure-remove", "failure"),
    ("downtime-reasons", None), ("downtime-reason-new", None), ("downtime-reason", "breakdown"), ("asset-kinds", None),
    ("asset-kind-new", None), ("failure-codes", None), ("failure-code-new", None), ("settings", None), ("search", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "about"), PAGES)
def test_every_page_opens_for_an_administrator(enter, plant, stop, name, about):
    rows = {"stop": stop, "failure": stop.failures.get()}
    row = rows.get(about) or (about and getattr(plant, about))
    response = enter("administrator").get(reverse(name, args=[row.pk] if row else []))
    assert response.status_code == 200


@pytest.mark.parametrize("tab", ["overview", "stops", "failures", "history"])
def test_every_tab_of_an_asset_opens(enter, plant, stop, tab):
    response = enter("requester").get(f"/assets/{plant.filler.pk}/?tab={tab}")
    assert response.status_code == 200


@pytest.mark.parametrize(("name", "about"), [page for page in PAGES if page[1]])
def test_a_row_of_another_site_does_not_exist(enter, plant, stop, name, about):
    rows = {"stop": stop, "failure": stop.failures.get()}
    row = rows.get(about) or getattr(plant, about)
    client = enter("stranger")
    assert client.get(reverse(name, args=[row.pk])).status_code == 404
    assert client.post(reverse(name, args=[row.pk])).status_code in (404, 405)
    assert Event.objects.filter(actor=plant.stranger).count() == 0


def test_lists_search_and_exports_leave_out_other_sites(enter, plant, stop):
    client = enter("stranger")
    for address in ("/assets/?format=csv", "/downtime/?format=csv", "/failures/?format=csv"):
        assert b"M1" not in b"".join(client.get(address).streaming_content), address
    assert [node.asset for node in client.get("/assets/tree/").context["nodes"]] == [plant.foreign]
    assert client.get("/search/?q=M1").status_code == 200
    assert b"M1 " not in client.get("/search/?q=Labeller").content
    assert client.get("/lookups/assets.asset/?q=M1").json() == {"results": []}


@pytest.mark.parametrize(
    ("who", "allowed"),
    [("requester", False), ("technician", True), ("planner", True), ("manager", False), ("administrator", True)],
)
def test_one_tap_is_for_those_who_may_record(enter, plant, who, allowed):
    client = enter(who)
    page = client.get(f"/assets/{plant.filler.pk}/").content.decode()
    assert ("Is down" in page) is allowed
    response = client.post(f"/assets/{plant.filler.pk}/down/")
    assert response.status_code == (302 if allowed else 403)
    assert Downtime.objects.open().count() == int(allowed)


def test_down_why_failure_and_back_take_one_tap_each(enter, plant):
    client = enter("technician")
    address = f"/assets/{plant.filler.pk}/"
    client.post(f"{address}down/", {"next": address})
    stop = Downtime.objects.get()
    page = client.get(address).content.decode()
    assert "Why is it down?" in page
    assert f'name="reason" value="{plant.breakdown.pk}"' in page
    client.post(f"/downtime/{stop.pk}/reason/", {"reason": plant.breakdown.pk})
    client.post(f"/downtime/{stop.pk}/reason/", {"failure": "yes"})
    page = client.get(address).content.decode()
    assert "Why is it down?" not in page
    assert "recorded as a failure" in page
    response = client.post(f"{address}back/", {"next": address}, follow=True)
    stop.refresh_from_db()
    assert stop.end is not None
    assert (stop.reason, stop.failures.get().restored) == (plant.breakdown, stop.end)
    assert "M1 is back after" in response.content.decode()


def test_a_second_person_is_told_that_it_is_down_already(enter, plant):
    stops.open_stop(plant.filler, by=plant.planner)
    response = enter("technician").post(f"/assets/{plant.filler.pk}/down/")
    assert response.status_code == 409
    assert "is down already" in response.content.decode()
    assert Downtime.objects.count() == 1


def test_at_most_nine_reasons_are_offered_the_most_used_first(enter, plant):
    for number in range(12):
        DowntimeReason.objects.create(site=plant.berlin, code=f"r{number}", name=f"Reason {number:02}")
    often = DowntimeReason.objects.get(code="r11")
    for hours in (30, 40):
        at = timezone.now() - timedelta(hours=hours)
        stops.record_stop(StopEntry(plant.filler, at, at + timedelta(hours=1), reason=often), by=plant.planner)
    stops.open_stop(plant.filler, by=plant.planner)
    response = enter("technician").get(f"/assets/{plant.filler.pk}/")
    offered = [reason.code for reason in response.context["reasons"]]
    assert len(offered) == 9
    assert offered[0] == "r11"


def test_a_stop_of_the_last_hours_without_a_reason_is_asked_for_once_more(enter, plant):
    ago = timezone.now() - timedelta(hours=2)
    stop = stops.record_stop(StopEntry(plant.filler, ago, ago + timedelta(minutes=30)), by=plant.technician).row
    address = f"/assets/{plant.filler.pk}/"
    assert "Why was it down at" in enter("technician").get(address).content.decode()
    stops.correct(stop, {"end": ago + timedelta(minutes=2)}, by=plant.technician)
    assert "Why was it down" not in enter("technician").get(address).content.decode(), "a short stop needs no reason"


def test_an_asset_is_created_edited_moved_archived_and_restored_through_its_pages(enter, plant):
    client = enter("planner")
    fields = {"code": "M4", "name": "Packer", "level": "machine", "parent": plant.line.pk, "stops_parent": "on",
              "production_score": "5", "criticality": "", "short_stop_seconds": "300"}  # fmt: skip
    client.post("/assets/new/", fields)
    packer = Asset.objects.get(code="M4")
    assert (packer.parent, packer.stops_parent, packer.criticality) == (plant.line, True, "A")
    address = f"/assets/{packer.pk}/"
    client.post(f"{address}edit/", {**fields, "name": "Packer 2", "version": packer.version})
    packer.refresh_from_db()
    assert (packer.name, packer.parent, packer.stops_parent) == ("Packer 2", plant.line, True)
    client.post(f"{address}move/", {"parent": "", "at": ""})
    packer.refresh_from_db()
    assert (packer.parent, packer.stops_parent) == (None, False)
    client.post(f"{address}archive/")
    packer.refresh_from_db()
    assert packer.archived_at is not None
    assert packer not in client.get("/assets/").context["table"].rows
    assert client.get("/assets/?archived=true").context["table"].rows == [packer]
    client.post(f"{address}restore/")
    packer.refresh_from_db()
    assert packer.archived_at is None
    verbs = list(Event.objects.filter(object_id=packer.pk).order_by("id").values_list("verb", flat=True))
    assert verbs == ["asset.created", "asset.edited", "asset.moved", "asset.archived", "asset.restored"]


def test_a_refusal_keeps_what_was_typed_and_points_at_the_field(enter, plant):
    response = enter("planner").post(
        "/assets/new/", {"code": "m1", "name": "Second filler", "level": "machine", "short_stop_seconds": "300"}
    )
    assert response.status_code == 422
    assert "already has an asset M1" in str(response.context["form"].errors["code"])
    assert 'value="Second filler"' in response.content.decode()
    assert not Asset.objects.filter(name="Second filler").exists()


def test_an_edit_of_a_row_that_somebody_else_changed_is_refused(enter, plant):
    tree.edit(plant.filler, {"name": "Filler A"}, by=plant.administrator)
    response = enter("planner").post(
        f"/assets/{plant.filler.pk}/edit/",
        {"code": "M1", "name": "Filler B", "level": "machine", "short_stop_seconds": "300", "version": "1"},
    )
    assert response.status_code == 409
    assert Asset.objects.get(pk=plant.filler.pk).name == "Filler A"


def test_a_move_below_itself_is_refused_at_the_field(enter, plant):
    response = enter("planner").post(f"/assets/{plant.line.pk}/move/", {"parent": plant.filler.pk})
    assert response.status_code == 422
    assert "stands below L1 itself" in str(response.context["form"].errors["parent"])


def test_a_stop_is_recorded_corrected_and_removed_through_its_pages(enter, plant):
    client = enter("technician")
    day = timezone.now() - timedelta(days=2)
    typed = {"asset": plant.filler.pk, "start": f"{day:%Y-%m-%d}T09:00", "end": f"{day:%Y-%m-%d}T10:00",
             "reason": plant.breakdown.pk, "is_failure": "on", "planned": ""}  # fmt: skip
    client.post("/downtime/new/", typed)
    stop = Downtime.objects.get()
    assert stop.start.astimezone(plant.berlin.zone).hour == 9, "the site's clock"
    assert stop.failures.count() == 1
    corrected = {**typed, "end": f"{day:%Y-%m-%d}T11:00", "why": "Misread", "version": stop.version}
    client.post(f"/downtime/{stop.pk}/edit/", corrected)
    stop.refresh_from_db()
    assert stop.end - stop.start == timedelta(hours=2)
    assert stop.failures.get().restored == stop.end
    history = client.get(f"/downtime/{stop.pk}/?tab=history").content.decode()
    assert "Misread" in history
    assert "<del>" in history
    client.post(f"/downtime/{stop.pk}/remove/", {"reason": "Wrong machine"})
    assert not Downtime.objects.exists()
    assert "Wrong machine" in client.get(f"/assets/{plant.filler.pk}/?tab=history").content.decode()


def test_a_stop_that_ends_before_it_starts_is_refused_at_the_field(enter, plant):
    typed = {"asset": plant.filler.pk, "start": "2026-03-02T10:00", "end": "2026-03-02T09:00", "planned": ""}
    response = enter("technician").post("/downtime/new/", typed)
    assert response.status_code == 422
    assert "before the start" in str(response.context["form"].errors["end"])
    assert not Downtime.objects.exists()


def test_a_time_that_the_clock_skips_is_refused_at_the_field(enter, plant):
    typed = {"asset": plant.filler.pk, "start": "2026-03-29T02:30", "end": "2026-03-29T04:00", "planned": ""}
    response = enter("technician").post("/downtime/new/", typed)
    assert response.status_code == 422
    assert "start" in response.context["form"].errors
    assert not Downtime.objects.exists()


def test_a_failure_is_recorded_and_corrected_with_its_codes(enter, plant):
    leak = FailureCode.objects.create(list="problem", code="leak", name="Leak")
    client = enter("technician")
    typed = {"asset": plant.filler.pk, "occurred": "2026-03-02T09:00", "problem": leak.pk, "detection": "operation"}
    client.post("/failures/new/", typed)
    failure = Failure.objects.get()
    assert (failure.problem, failure.restored) == (leak, None)
    typed |= {"restored": "2026-03-02T12:00", "version": failure.version, "why": "Forgot"}
    client.post(f"/failures/{failure.pk}/edit/", typed)
    failure.refresh_from_db()
    assert failure.restored - failure.occurred == timedelta(hours=3)
    client.post(f"/failures/{failure.pk}/remove/", {"reason": "It was none"})
    assert not Failure.objects.exists()


def test_filters_narrow_the_lists(enter, plant, stop):
    client = enter("planner")
    stops.open_stop(plant.labeller, by=plant.planner)

    def codes(question: str) -> list[str]:
        body = b"".join(client.get(f"/assets/?format=csv&{question}").streaming_content).decode("utf-8-sig")
        return [row["Code"] for row in csv.DictReader(io.StringIO(body))]

    assert codes("") == ["L1", "M1", "M2", "M3"]
    assert codes("search=fillr") == ["M1"]
    assert codes("level=line") == ["L1"]
    assert codes("criticality=A&criticality=B") == ["M1"]
    assert codes("down=true") == ["M2"]
    assert codes("down=false") == ["L1", "M1", "M3"]
    assert codes(f"ancestor={plant.filler.pk}") == ["M1"]
    assert codes(f"kind={plant.filler.kind_id}") == ["M1"]
    assert codes("archived=true") == []

    def listed(question: str) -> int:
        body = b"".join(client.get(f"/downtime/?format=csv&{question}").streaming_content).decode("utf-8-sig")
        return len(list(csv.DictReader(io.StringIO(body))))

    tomorrow = timezone.now() + timedelta(days=1)
    assert listed("") == 2
    assert listed("open=true") == listed("is_failure=false") == listed("without_reason=true") == 1
    assert listed(f"reason={plant.breakdown.pk}") == listed(f"asset={plant.filler.pk}") == 1
    assert listed(f"ancestor={plant.line.pk}") == 2
    assert listed("planned=true") == listed(f"until={tomorrow - timedelta(days=9):%Y-%m-%d}") == 0
    assert listed(f"since={tomorrow:%Y-%m-%d}") == 1, "what is still down lasts until tomorrow"


def test_lists_cost_a_constant_number_of_queries(enter, plant, stop, django_assert_max_num_queries):
    client = enter("planner")
    for number in range(20):
        machine = world.asset(plant.berlin, f"C{number}", parent=plant.filler)
        at = timezone.now() - timedelta(days=number + 1)
        stops.record_stop(StopEntry(machine, at, at + timedelta(hours=1), is_failure=True), by=plant.planner)
    client.get("/assets/")
    for address, queries in (
        ("/assets/", 9), ("/assets/tree/", 8), ("/downtime/", 9), ("/failures/", 10),
        (f"/assets/{plant.filler.pk}/", 16), (f"/assets/{plant.line.pk}/?tab=history", 20),
    ):  # fmt: skip
        with django_assert_max_num_queries(queries):
            assert client.get(address).status_code == 200


def test_the_list_of_failures_says_how_many_are_not_restored(enter, plant, stop):
    client = enter("planner")
    assert "Nothing waits to be restored." in client.get("/failures/").content.decode()
    client.post(f"/assets/{plant.labeller.pk}/down/", {"is_failure": "on"})
    assert "1 failure is not restored." in client.get("/failures/").content.decode()


def test_the_tree_marks_what_is_down_and_says_so_above_it(enter, plant):
    valve = world.asset(plant.berlin, "V1", "Valve", parent=plant.filler, level="component")
    stops.open_stop(valve, by=plant.planner)
    response = enter("requester").get("/assets/tree/")
    nodes = {node.asset.code: node for node in response.context["nodes"]}
    assert list(nodes) == ["L1", "M1", "V1", "M2", "M3"]
    assert [node.down_below for node in nodes.values()] == [1, 1, 0, 0, 0]
    assert [str(mark) for mark in nodes["V1"].marks] == ["Down"]
    page = response.content.decode()
    assert page.count("<ul") - page.count("</ul>") == 0
    assert page.count("<details") == page.count("</details>")


@pytest.mark.parametrize(("who", "offered"), [("planner", True), ("requester", False)])
@pytest.mark.parametrize("page", ["/assets/tree/", "/assets/"])
def test_a_site_without_assets_offers_the_first_to_those_who_may_add_it(enter, plant, page, who, offered):
    Asset.objects.at(plant.berlin).update(archived_at=timezone.now())
    text = enter(who).get(page).content.decode()
    assert "No assets here yet." in text
    assert ("Add the first" in text) is offered


def test_upper_apps_mark_assets_in_the_tree(enter, plant, monkeypatch):
    monkeypatch.setattr("assets.markers.REGISTRY", [lambda site, user: {plant.filler.pk: Badge("2 orders", "watch")}])
    nodes = enter("requester").get("/assets/tree/").context["nodes"]
    assert [[str(mark) for mark in node.marks] for node in nodes] == [[], ["2 orders"], [], []]


def test_a_page_about_a_row_of_another_of_ones_sites_goes_over_to_that_site(enter, plant):
    world.Membership.objects.create(user=plant.planner, site=plant.chicago, role="planner")
    client = enter("planner")
    assert client.get("/assets/?site=berlin").context["frame"].site == plant.berlin
    assert client.get(f"/assets/{plant.foreign.pk}/").context["frame"].site == plant.chicago
    assert b"X1" in client.get("/assets/").content


def test_a_label_holds_the_address_of_the_asset(enter, plant, settings):
    settings.PUBLIC_URL = "https://tandem.example.com"
    response = enter("technician").get(f"/assets/{plant.line.pk}/label/?below=1")
    labels = response.context["labels"]
    assert [label.asset.code for label in labels] == ["L1", "M1", "M2", "M3"]
    assert labels[1].url == f"https://tandem.example.com/assets/{plant.filler.pk}/"
    assert response.content.decode().count('class="qr"') == 4


# --- Lists that people choose from ---------------------------------------------------------------------


def test_reasons_are_kept_by_administrators_of_the_site(enter, plant):
    fields = {"name": "No bottles", "code": "no-bottles", "loss_class": "other", "active": "on"}
    for who in ("requester", "technician", "planner", "manager"):
        assert enter(who).post("/settings/reasons/new/", fields).status_code == 403
    client = enter("administrator")
    client.post("/settings/reasons/new/", fields)
    reason = DowntimeReason.objects.get(code="no-bottles")
    assert reason.site == plant.berlin
    client.post(f"/settings/reasons/{reason.pk}/", {**fields, "planned": "on", "excluded": "on"})
    reason.refresh_from_db()
    assert (reason.planned, reason.excluded) == (True, True)
    assert Event.objects.get(verb="reason.changed").data["changes"] == {
        "planned": [False, True], "excluded": [False, True],
    }  # fmt: skip
    client.post(f"/settings/reasons/{reason.pk}/remove/")
    assert not DowntimeReason.objects.filter(code="no-bottles").exists()


def test_an_unplanned_reason_is_not_excluded_and_a_used_one_not_removed(enter, plant, stop):
    client = enter("administrator")
    fields = {"name": "Breakdown", "code": "breakdown", "loss_class": "breakdown", "active": "on", "excluded": "on"}
    response = client.post(f"/settings/reasons/{plant.breakdown.pk}/", fields)
    assert response.status_code == 422
    response = client.post(f"/settings/reasons/{plant.breakdown.pk}/remove/", follow=True)
    assert "is in use and stays" in response.content.decode()
    plant.breakdown.refresh_from_db()
    assert plant.breakdown.excluded is False
    assert not Event.objects.filter(verb__startswith="reason").exists()


def test_kinds_and_failure_codes_are_kept_by_any_administrator(enter, plant):
    assert enter("planner").get("/settings/kinds/").status_code == 403
    client = enter("stranger")
    client.post("/settings/kinds/new/", {"name": "Packer", "code": "packer"})
    client.post("/settings/failure-codes/new/", {"list": "cause", "name": "Worn", "code": "worn", "kind": ""})
    code = FailureCode.objects.get()
    assert (
        client.post("/settings/failure-codes/new/", {"list": "cause", "name": "Worn", "code": "worn"}).status_code
        == 422
    )
    client.post(f"/settings/failure-codes/{code.pk}/remove/")
    assert not FailureCode.objects.exists()
    kind = plant.filler.kind
    response = client.post(f"/settings/kinds/{kind.pk}/remove/", follow=True)
    assert "is in use and stays" in response.content.decode()
