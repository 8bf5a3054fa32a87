"""Pages made with the kit, through the front door: what they show, refuse, keep and never leak."""

import re

import pytest

from assets.models import Asset
from core.events import record
from tests import plant as world
from tests.plant import PASSWORD

pytestmark = pytest.mark.usefixtures("sample_pages")


@pytest.fixture
def planner(client, plant):
    client.login(username="planner", password=PASSWORD)
    return client


@pytest.fixture
def technician(client, plant):
    client.login(username="technician", password=PASSWORD)
    return client


def codes(response) -> list[str]:
    return [row.code for row in response.context["table"].rows]


# --- Lists -------------------------------------------------------------------------------------------


def test_a_list_shows_the_rows_of_the_chosen_site_only(planner):
    assert codes(planner.get("/sample/")) == ["L1", "M1", "M2", "M3"]


def test_a_stranger_to_the_site_sees_none_of_its_rows(client, plant):
    client.login(username="stranger", password=PASSWORD)
    assert codes(client.get("/sample/")) == ["X1"]


def test_nobody_sees_a_list_without_logging_in(client, plant):
    response = client.get("/sample/")
    assert (response.status_code, response["Location"]) == (302, "/login/?next=/sample/")


def test_a_list_costs_the_same_queries_with_four_rows_and_with_forty(planner, plant, django_assert_num_queries):
    planner.get("/sample/")
    # User, roles, sites, rows; a list never counts.
    with django_assert_num_queries(4):
        planner.get("/sample/")
    for number in range(36):
        world.asset(plant.berlin, f"N{number:02}", parent=plant.line, kind=plant.filler.kind)
    with django_assert_num_queries(4):
        planner.get("/sample/")


def test_filters_narrow_the_list_and_show_as_chips_that_can_be_dropped(planner):
    response = planner.get("/sample/?name=ll&criticality=A&sort=-code")
    assert codes(response) == ["M1"]
    assert [(chip.label, str(chip.value), chip.url) for chip in response.context["chips"]] == [
        ("Name", "ll", "?criticality=A&sort=-code"),
        ("Criticality", "A · critical", "?name=ll&sort=-code"),
    ]


def test_a_filter_that_makes_no_sense_shows_its_error_and_no_rows(planner):
    response = planner.get("/sample/?level=galaxy")
    assert codes(response) == []
    assert "Select a valid choice" in response.content.decode()


def test_an_empty_list_says_so_and_offers_what_to_do(planner, sample_pages, monkeypatch):
    nothing = planner.get("/sample/?name=zzz").content.decode()
    assert "Nothing matches." in nothing
    monkeypatch.setattr(sample_pages.SampleList, "rows", lambda page: Asset.objects.none())
    empty = planner.get("/sample/").content.decode()
    assert "No assets here yet." in empty
    assert '<a class="btn btn-primary" href="/sample/new/">Add the first</a>' in empty


def test_htmx_gets_the_list_alone(planner):
    response = planner.get("/sample/?name=fill", headers={"HX-Request": "true", "HX-Target": "list"})
    text = response.content.decode()
    assert "<html" not in text
    assert "M1" in text


def test_an_export_holds_what_the_filter_shows(planner):
    response = planner.get("/sample/?name=ll&sort=-code&columns=code,name&format=csv")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert text.splitlines() == ["Code,Name", "M3,Palletiser", "M2,Labeller", "M1,Filler"]
    assert re.fullmatch(r'attachment; filename="asset-\d{4}-\d\d-\d\d\.csv"', response["Content-Disposition"])


def test_an_export_as_workbook_is_one(planner):
    response = planner.get("/sample/?format=xlsx")
    assert response.content[:2] == b"PK"


def test_a_bulk_action_asks_then_acts_on_the_chosen_rows(planner, plant):
    chosen = {"bulk": "rename", "selected": [plant.filler.pk, plant.labeller.pk]}
    asked = planner.post("/sample/?name=l", chosen)
    assert asked.status_code == 200
    assert b"2 rows are chosen." in asked.content
    done = planner.post("/sample/?name=l", {**chosen, "confirmed": "1", "name": "Twin"}, follow=True)
    assert done.redirect_chain == [("/sample/?name=l", 302)]
    assert b"2 renamed by planner." in done.content
    assert Asset.objects.filter(name="Twin").count() == 2


def test_a_bulk_action_never_reaches_rows_of_another_site(planner, plant):
    chosen = {"bulk": "rename", "selected": [plant.foreign.pk], "confirmed": "1", "name": "Stolen"}
    planner.post("/sample/", chosen)
    plant.foreign.refresh_from_db()
    assert plant.foreign.name == "Filler in Chicago"


def test_a_refused_bulk_action_changes_nothing_and_says_why(planner, plant):
    chosen = {"bulk": "rename", "selected": [plant.filler.pk], "confirmed": "1", "name": "forbidden"}
    response = planner.post("/sample/", chosen, follow=True)
    assert b"No asset may be called that." in response.content
    plant.filler.refresh_from_db()
    assert plant.filler.name == "Filler"


def test_a_bulk_action_without_the_right_is_neither_offered_nor_done(technician, plant):
    assert b"select-cell" not in technician.get("/sample/").content
    response = technician.post(
        "/sample/", {"bulk": "rename", "selected": [plant.filler.pk], "confirmed": "1", "name": "X"}
    )
    assert response.status_code == 403
    plant.filler.refresh_from_db()
    assert plant.filler.name == "Filler"


def test_a_bulk_action_with_no_rows_asks_for_some(planner):
    response = planner.post("/sample/", {"bulk": "rename"}, follow=True)
    assert b"Choose at least one row first." in response.content


# --- One row -----------------------------------------------------------------------------------------


def test_a_row_of_another_site_does_not_exist(planner, plant):
    for path in ("", "edit/", "archive/"):
        assert planner.get(f"/sample/{plant.foreign.pk}/{path}").status_code == 404


def test_a_detail_page_draws_its_first_tab_with_the_page(planner, plant):
    record("asset.noted", plant.filler, by=plant.planner, site=plant.berlin, summary="Bearing noise")
    text = planner.get(f"/sample/{plant.filler.pk}/").content.decode()
    assert '<a href="?tab=sample-history" hx-get="?tab=sample-history"' in text
    assert "Where the time went" in text
    assert "Bearing noise" not in text


def test_each_tab_has_an_address_of_its_own(planner, plant):
    record("asset.noted", plant.filler, by=plant.planner, site=plant.berlin, summary="Bearing noise")
    page = planner.get(f"/sample/{plant.filler.pk}/?tab=sample-history").content.decode()
    part = planner.get(
        f"/sample/{plant.filler.pk}/?tab=sample-history", headers={"HX-Request": "true", "HX-Target": "panel"}
    ).content.decode()
    assert "<html" in page
    assert "Bearing noise" in page
    assert "<html" not in part
    assert "Bearing noise" in part
    assert planner.get(f"/sample/{plant.filler.pk}/?tab=nonsense").status_code == 404


# --- Forms -------------------------------------------------------------------------------------------


def test_a_wrong_form_keeps_what_was_typed_and_points_at_the_field(planner):
    response = planner.post("/sample/new/", {"code": "", "name": "Conveyor", "criticality": "C"})
    text = response.content.decode()
    assert response.status_code == 422
    assert 'value="Conveyor"' in text
    assert '<a href="#id_code">Code</a>: This field is required.' in text
    assert 'aria-invalid="true"' in text
    assert not Asset.objects.filter(name="Conveyor").exists()


def test_a_verb_that_refuses_shows_its_reason_at_the_field(planner):
    response = planner.post("/sample/new/", {"code": "N1", "name": "refused", "criticality": "C"})
    assert response.status_code == 422
    assert response.context["form"].errors == {"name": ["Choose another name."]}
    assert not Asset.objects.filter(code="N1").exists()


def test_saving_leads_to_the_row_and_says_so(planner):
    response = planner.post("/sample/new/", {"code": "N1", "name": "Conveyor", "criticality": "C"}, follow=True)
    made = Asset.objects.get(code="N1")
    assert response.redirect_chain == [(f"/sample/{made.pk}/", 302)]
    assert "N1 · Conveyor is saved." in response.content.decode()


def test_a_lost_update_is_refused_and_nothing_typed_is_lost(planner, plant):
    page = planner.get(f"/sample/{plant.filler.pk}/edit/").content.decode()
    assert '<input type="hidden" name="version" value="1">' in page
    Asset.objects.filter(pk=plant.filler.pk).update(version=2, name="Changed by another")
    mine = {"code": "M1", "name": "Mine", "criticality": "A", "version": "1"}
    response = planner.post(f"/sample/{plant.filler.pk}/edit/", mine)
    assert response.status_code == 409
    assert 'value="Mine"' in response.content.decode()
    # Pressing Save once more must not slip through: the form still carries the version it was opened with.
    assert '<input type="hidden" name="version" value="1">' in response.content.decode()
    plant.filler.refresh_from_db()
    assert (plant.filler.name, plant.filler.version) == ("Changed by another", 2)


def test_a_form_without_its_version_is_not_taken_for_a_fresh_one(planner, plant):
    response = planner.post(f"/sample/{plant.filler.pk}/edit/", {"code": "M1", "name": "Mine", "criticality": "A"})
    assert response.status_code == 409
    plant.filler.refresh_from_db()
    assert plant.filler.name == "Filler"


def test_the_address_may_fill_in_a_new_form(planner, plant):
    form = planner.get(f"/sample/new/?parent={plant.line.pk}&name=Capper&site=1").context["form"]
    assert form.initial == {"parent": str(plant.line.pk), "name": "Capper"}


def test_a_form_page_for_planners_is_closed_to_technicians(technician, plant):
    assert technician.get(f"/sample/{plant.filler.pk}/edit/").status_code == 403
    assert technician.get("/sample/planners/").status_code == 403


def test_a_verb_asks_for_its_reason_first(planner, plant):
    url = f"/sample/{plant.filler.pk}/archive/"
    assert b"It disappears from the lists; its history stays." in planner.get(url).content
    refused = planner.post(url, {"reason": ""})
    assert (refused.status_code, refused.context["form"].errors["reason"]) == (
        422,
        ["Say why; it stays in the history."],
    )
    done = planner.post(url, {"reason": "sold"}, follow=True)
    assert b"M1 is archived." in done.content
    plant.filler.refresh_from_db()
    assert plant.filler.description == "sold"


def test_a_verb_that_somebody_else_did_first_is_a_conflict(planner, plant):
    response = planner.post(f"/sample/{plant.filler.pk}/archive/", {"reason": "conflict"})
    assert response.status_code == 409
    assert "Somebody was faster." in response.content.decode()


def test_a_verb_that_the_role_does_not_include_is_forbidden(technician, plant):
    response = technician.post(f"/sample/{plant.filler.pk}/archive/", {"reason": "sold"})
    assert response.status_code == 403
    assert "Planners only." in response.content.decode()
    plant.filler.refresh_from_db()
    assert plant.filler.description == ""


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_the_way_back_never_leaves_the_house(planner, plant, wanted):
    response = planner.post(f"/sample/{plant.filler.pk}/archive/", {"reason": "sold", "next": wanted})
    assert response.status_code == 302
    assert "evil" not in response["Location"]
    assert "javascript" not in response["Location"]
