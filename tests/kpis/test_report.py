"""The weekly report: what it says of a week, as a page and as a PDF, and whose it is."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from pypdf import PdfReader

from assets.models import Asset, Downtime, Failure, FailureCode
from core.models import Site
from kpis import report, targets, weeks
from kpis.models import Finding, FindingKind
from kpis.report import change, compose
from kpis.report_pdf import pdf
from kpis.weeks import Week
from tests import plant as world
from tests.kpis.test_work_database import BEGIN, DAY, HOUR, NOW, order
from tests.kpis.test_work_database import broken as broken  # the fixture
from workorders.states import State

BERLIN = Site(time_zone="Europe/Berlin", day_start=time(0))
LATE = Site(time_zone="Europe/Berlin", day_start=time(8))
W10 = date(2026, 3, 2)


def made(plant, asset=None, monday=W10, now=NOW):
    return compose(plant.berlin, asset, Week(plant.berlin, monday), now=now)


def row(found, name: str):
    return next(each for each in found.rows if each.name == name)


# --- Weeks -----------------------------------------------------------------------------------------


def test_a_week_is_seven_production_days_whatever_the_clock_does():
    spring, autumn = Week(BERLIN, date(2026, 3, 23)), Week(BERLIN, date(2026, 10, 19))
    assert (spring.window.end - spring.window.start, str(spring)) == (7 * DAY - HOUR, "2026-W13")
    assert (autumn.window.end - autumn.window.start, str(autumn)) == (7 * DAY + HOUR, "2026-W43")
    assert spring.due == datetime(2026, 3, 30, 4, tzinfo=UTC)  # six o'clock in summer time
    assert autumn.due == datetime(2026, 10, 26, 5, tzinfo=UTC)
    assert Week(LATE, date(2026, 3, 23)).due == datetime(2026, 3, 30, 6, tzinfo=UTC)  # Sunday's day ends at eight


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        (datetime(2026, 3, 30, 3, 59, tzinfo=UTC), date(2026, 3, 16)),
        (datetime(2026, 3, 30, 4, tzinfo=UTC), date(2026, 3, 23)),
        (datetime(2026, 4, 6, 3, 59, tzinfo=UTC), date(2026, 3, 23)),
        (datetime(2026, 4, 6, 4, tzinfo=UTC), date(2026, 3, 30)),
    ],
)
def test_the_newest_week_is_due_from_monday_at_six(now, monday):
    assert weeks.newest_due(BERLIN, now).monday == monday


@pytest.mark.parametrize(
    ("text", "week", "error"),
    [
        ("", "2026-W15", ""),
        ("2026-W13", "2026-W13", ""),
        ("2026-W16", "2026-W16", ""),  # the running one
        ("2026-W17", "2026-W15", "This week has not begun."),
        ("9999-W52", "2026-W15", "This week has not begun."),
        ("2026-W54", "2026-W15", "2026 has the weeks 1 to 53."),
        ("2025-W53", "2026-W15", "2025 has the weeks 1 to 52."),
        ("2026-W00", "2026-W15", "2026 has the weeks 1 to 53."),
        ("0001-W01", "2026-W15", "Give the week as year and number, such as 2026-W47."),
        ("²026-W13", "2026-W15", "Give the week as year and number, such as 2026-W47."),
        ("zz", "2026-W15", "Give the week as year and number, such as 2026-W47."),
    ],
)
def test_an_address_names_a_week(text, week, error):
    found, wrong = weeks.asked(BERLIN, text, NOW)
    assert (str(found), wrong) == (week, error)


# --- What it says ----------------------------------------------------------------------------------


def test_the_figures_stand_beside_their_targets_and_the_week_before(plant, broken):
    Downtime.objects.create(asset=plant.filler, start=BEGIN + 8 * DAY, end=BEGIN + 8 * DAY + 28 * HOUR)
    values = {"definition": "availability", "value": 0.9, "owner": plant.manager, "valid_from": date(2026, 1, 1)}
    targets.set_target(plant.berlin, plant.filler, values, by=plant.manager)
    first = row(made(plant, plant.filler), "Availability")
    assert (first.value, first.target, first.gap, first.tone) == ("91.7\u202f%", "90.0\u202f%", "reached", "ok")
    second = row(made(plant, plant.filler, W10 + 7 * DAY), "Availability")
    assert (second.value, second.gap, second.change) == (
        "83.3\u202f%", "6.7 points to go", "−8.3 points, worse",
    )  # fmt: skip
    assert made(plant, plant.filler, W10 + 7 * DAY).answer.startswith("0 of 1 target is reached.")


def test_where_nothing_failed_the_lower_bound_of_the_mtbf_is_told(plant, broken):
    found = made(plant, plant.filler, W10 + 7 * DAY)
    mtbf = row(found, "MTBF")
    assert (mtbf.value, mtbf.is_known) == ("undefined", False)
    assert mtbf.remark == "No failure occurred in this window. At least 73.0\u202fh with 90 % confidence."
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf(found))).pages)
    assert "At least 73.0 h with 90 % confidence." in " ".join(text.split())


def test_what_is_not_known_is_said_and_never_nought(plant, broken):
    found = made(plant, plant.palletiser)
    for name in ("Availability", "MTBF", "OEE", "Cost of downtime"):
        assert (row(found, name).value, row(found, name).is_known) == ("no data", False)
    assert (
        row(found, "Availability").remark
        == "Nothing was ever recorded for it, or nothing for too long, so its state is unknown."
    )
    assert row(found, "Availability").change == ""
    assert found.answer == "Nothing was recorded in this week, so there is no figure to show."
    assert "Nothing was ever recorded for M3." in found.doubts


@pytest.mark.parametrize(
    ("value", "former", "better", "words"),
    [
        (0.9, 0.88, "higher", "+2.0 points, better"),
        (0.88, 0.9, "higher", "−2.0 points, worse"),
        (0.9, 0.9001, "higher", "as the week before"),
        (0.9, None, "higher", "no value the week before"),
        (None, 0.9, "higher", ""),
        (3.0, 2.0, "lower", "+1.0 h, worse"),
    ],
)
def test_the_change_says_whether_it_is_better(plant, value, former, better, words):
    def figure(of):
        key = "availability" if better == "higher" else "mttr"
        (period,) = report.figures.periods([plant.filler], site=plant.berlin, start=BEGIN, end=BEGIN + DAY, now=NOW)
        return replace(period.figure(report.DEFINITIONS[key]), value=of)

    assert change(figure(value), figure(former)) == words


def test_stops_count_what_lies_in_the_week_the_longest_first(plant, broken):
    border = BEGIN + 7 * DAY
    Downtime.objects.create(asset=plant.labeller, start=border - 30 * HOUR, end=border + 2 * HOUR)
    Downtime.objects.create(asset=plant.labeller, start=BEGIN - 3 * DAY, end=BEGIN + HOUR, reason=plant.breakdown)
    Downtime.objects.create(asset=plant.filler, start=BEGIN, end=BEGIN + 40 * HOUR, reason=plant.lunch, planned=True)
    Downtime.objects.create(asset=plant.foreign, start=BEGIN, end=BEGIN + 40 * HOUR)
    found = made(plant)
    assert [(each.asset, each.lasted, each.reason) for each in found.stops] == [
        ("M2 · Labeller", "1\u00a0d 6\u00a0h", "no reason yet"),
        ("M1 · Filler", "10\u00a0h", "Breakdown"),
        ("M1 · Filler", "4\u00a0h", "Breakdown"),
        ("M2 · Labeller", "1\u00a0h", "Breakdown"),
    ]
    assert found.stops[1].start == "2 Mar 2026, 10:00"
    assert [each.asset for each in made(plant, plant.filler).stops] == ["M1 · Filler"] * 2
    assert "1 of 4 unplanned stops have no reason." in found.doubts


def test_a_machine_that_moved_away_keeps_its_former_stops_with_the_line(plant, broken):
    second = world.asset(plant.berlin, "L2", "Line 2", level="line")
    plant.filler.placements.all().delete()
    for parent, since, until in ((plant.line, world.OPENED, BEGIN + DAY), (second, BEGIN + DAY, None)):
        plant.filler.placements.create(
            parent=parent, valid=world.DateTimeTZRange(since, until), stops_parent=True
        )  # fmt: skip
    Asset.objects.filter(pk=plant.filler.pk).update(parent=second)
    assert [each.lasted for each in made(plant, plant.line).stops] == ["10\u00a0h"]
    assert [each.lasted for each in made(plant, second).stops] == ["4\u00a0h"]


def test_losses_failures_and_open_orders_are_told(plant, broken):
    problem = FailureCode.objects.create(list="problem", code="jam", name="Jammed <tight>")
    Failure.objects.filter(restored=None).update(problem=problem, occurred=BEGIN + 6 * DAY)
    order(plant.filler, BEGIN, State.APPROVED)
    found = made(plant)
    assert [(each.name, each.hours, each.stops) for each in found.losses] == [("Breakdown", "14.0\u202fh", "2")]
    assert [(each.asset, each.since, each.problem) for each in found.open] == [
        ("M1 · Filler", "8 Mar 2026, 00:00", "Jammed <tight>"),
    ]  # fmt: skip
    assert "2 of 2 open orders have no estimate." in made(plant, now=NOW, monday=date(2026, 4, 13)).doubts
    assert [each.asset for each in made(plant, monday=W10 - 7 * DAY).open] == []


def raised(asset, kind: FindingKind, **fields) -> Finding:
    return Finding.objects.create(site=asset.site, asset=asset, kind=kind, found_at=NOW, seen_at=NOW, **fields)


def test_open_findings_are_named_the_weightiest_first(plant, broken):
    long = [raised(plant.filler, FindingKind.OPEN_FOR_LONG, key=str(number)) for number in range(report.FINDINGS)]
    differ = raised(plant.labeller, FindingKind.FACTS_DIFFER)
    raised(plant.filler, FindingKind.OVERLAP, state="mended", settled_at=NOW)
    raised(plant.foreign, FindingKind.TOO_FAST)

    whole, filler, palletiser = (made(plant, asset) for asset in (None, plant.filler, plant.palletiser))

    assert "6 findings about the records are open." in whole.doubts
    assert [each.url for each in whole.findings] == [each.get_absolute_url() for each in (differ, *long[:-1])]
    assert (whole.findings[0].asset, whole.findings[0].what) == (
        "M2 · Labeller", "Stored figures differ from the records",
    )  # fmt: skip
    assert (whole.other_findings, len(filler.findings), filler.other_findings) == (1, 5, 0)
    assert palletiser.findings == []
    assert not any("findings" in sentence for sentence in palletiser.doubts)


def test_it_asks_as_often_for_many_records(plant, broken, django_assert_max_num_queries):
    def queries() -> int:
        with django_assert_max_num_queries(100) as asked:
            made(plant)
        return len(asked)

    queries()
    few = queries()
    for number in range(12):
        asset = world.asset(plant.berlin, f"N{number}", "Conveyor", parent=plant.line)
        start = BEGIN + number * HOUR
        Downtime.objects.create(asset=asset, start=start, end=start + HOUR, reason=plant.breakdown)
        Failure.objects.create(asset=asset, occurred=start)
        raised(asset, FindingKind.OVERLAP)
    assert queries() == few


# --- As a page -------------------------------------------------------------------------------------


@pytest.fixture
def manager(client, plant):
    client.force_login(plant.manager)
    return client


def test_the_page_says_it_with_links(manager, plant, broken):
    page = manager.get(reverse("report"), {"week": "2026-W10", "asset": "M1"}).content.decode()
    for words in ("Week 10 of 2026: M1 · Filler", "91.7\u202f%", "Breakdown", "14.0\u202fh", "no data"):
        assert words in page
    stop = Downtime.objects.get(start=BEGIN + 10 * HOUR)
    for url in (stop.get_absolute_url(), "week=2026-W09", "week=2026-W11", "report.pdf", "definition=availability"):
        assert url in page
    wrong = manager.get(reverse("report"), {"week": "2026-47"}).content.decode()
    assert "Give the week as year and number" in wrong


def test_page_pdf_and_mail_lead_to_the_open_findings(manager, plant, broken, settings):
    settings.PUBLIC_URL = "https://tandem.example"
    one, *_ = [raised(plant.filler, FindingKind.OPEN_FOR_LONG, key=str(number)) for number in range(6)]
    said = "A stop has been open for more than a week"

    page = manager.get(reverse("report"), {"week": "2026-W10"}).content.decode()
    found = made(plant)
    file = PdfReader(io.BytesIO(pdf(found)))
    mail = render_to_string("kpis/mail/report.txt", {"report": found, "base": settings.PUBLIC_URL, "stop": ""})

    assert f'<a href="{one.get_absolute_url()}">M1 · Filler</a>: {said}' in page
    assert f'href="{reverse("findings")}?state=open&amp;site=berlin"' in page
    assert "and 1 more" in page
    assert manager.get(found.urls["findings"]).content.decode().count(said) >= 6
    assert said in " ".join(text_of(pdf(found)).split())
    notes = [note.get_object() for each in file.pages for note in each.get("/Annots", [])]
    assert f"https://tandem.example{one.get_absolute_url()}" in {note["/A"]["/URI"] for note in notes if "/A" in note}
    assert f"- M1 · Filler: {said}\n  https://tandem.example{one.get_absolute_url()}\n" in mail
    assert "\nand 1 more\n" in mail


def test_performance_leads_to_the_report_of_the_same_asset(manager, plant):
    page = manager.get(reverse("performance"), {"asset": plant.filler.pk}).content.decode()
    assert f'href="{reverse("report")}?asset={plant.filler.pk}"' in page


@pytest.mark.parametrize("name", ["report", "report-pdf"])
def test_a_report_of_another_site_does_not_exist(manager, plant, name):
    for query in ({"asset": plant.foreign.pk}, {"asset": "X1"}, {"site": "chicago", "asset": "X1"}, {"kind": "filler"}):
        assert manager.get(reverse(name), query).status_code == 404
    assert manager.get(reverse(name), {"asset": "M1"}).status_code == 200


def test_a_week_that_there_is_not_is_said_and_gives_no_file_of_another(manager, plant):
    page = manager.get(reverse("report"), {"week": "2026-W54"})
    assert f"2026 has the weeks 1 to 53. Shown instead: {page.context['report'].week.title}." in page.content.decode()
    answer = manager.get(reverse("report-pdf"), {"week": "2026-W54"}, follow=True)
    assert answer.redirect_chain == [(f"{reverse('report')}?week=2026-W54", 302)]
    assert "2026 has the weeks 1 to 53." in answer.content.decode()


def test_a_running_week_says_so(plant, broken):
    week = weeks.running(plant.berlin, NOW)
    assert compose(plant.berlin, None, week, now=NOW).is_running
    assert not compose(plant.berlin, None, week.moved(-1), now=NOW).is_running


# --- As a PDF --------------------------------------------------------------------------------------


def test_a_running_week_is_held_against_as_much_of_the_week_before(plant):
    week = weeks.running(plant.berlin, NOW)
    part = NOW - week.window.start
    done = order(plant.filler, week.window.start - 30 * DAY)
    for since in (timedelta(0), 7 * DAY):
        for begin in (
            week.window.start - since,
            week.window.start - since + part,
        ):  # half of it in this part, half after
            done.costs.create(source="parts", amount=100, at=begin)
    found = compose(plant.berlin, None, week, now=NOW)
    assert row(found, "Maintenance cost").value.startswith("100")
    assert row(found, "Maintenance cost").change == "as the week before"


def text_of(file: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(file)).pages)


def test_the_pdf_says_the_same_and_leads_to_the_rows(plant, broken, settings):
    settings.PUBLIC_URL = "https://tandem.example"
    found = made(plant, plant.filler)
    reader = PdfReader(io.BytesIO(pdf(found)))
    assert reader.metadata.title == "Week 10 of 2026: M1 · Filler"
    text = " ".join(text_of(pdf(found)).split())
    for each in found.rows:
        assert " ".join(f"{each.name} {each.value}".split()) in text
    for words in ("Longest unplanned stops", "Breakdown", "2 Mar 2026, 10:00", "Doubts about the data", "page 1"):
        assert words in text
    notes = [note.get_object() for page in reader.pages for note in page.get("/Annots", [])]
    urls = {note["/A"]["/URI"] for note in notes if "/A" in note}
    assert {f"https://tandem.example{each.url}" for each in (*found.rows, *found.stops)} <= urls


def test_the_pdf_holds_every_letter_that_names_use(plant, broken, caplog):
    name = "Füllstraße „Łódź“ Привет Αθήνα → 1\u202f234 − 5 ÷ 2 × 3 ≥ Σ €"
    Asset.objects.filter(pk=plant.filler.pk).update(name=name)
    plant.filler.refresh_from_db()
    text = text_of(pdf(made(plant, plant.filler)))
    assert "missing" not in caplog.text
    for word in ("Füllstraße", "„Łódź“", "Привет", "Αθήνα", "→", "−", "÷", "≥", "Σ", "€"):
        assert word in text


def test_a_long_report_takes_several_pages_and_repeats_its_heads(plant, broken):
    found = made(plant, plant.filler)
    stop = replace(found.stops[0], asset="M1 · " + "Filler with a long name " * 6)
    long = replace(found, stops=[stop] * 30)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf(long))).pages]
    assert len(pages) > 2
    assert all("Reason" in page for page in pages[1:-1])


def test_the_page_gives_the_file(manager, plant, broken):
    answer = manager.get(reverse("report-pdf"), {"week": "2026-W10", "asset": "M1"})
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="m1-2026-w10.pdf"'
    assert answer.content.startswith(b"%PDF-")


def test_texts_follow_the_language_that_is_active(plant, broken):
    with translation.override("de"):
        assert row(made(plant, plant.filler), "Availability").value == "91,7\u202f%"
        assert pdf(made(plant, plant.filler)).startswith(b"%PDF-")


def test_a_report_is_due_only_after_its_week(plant):
    for site in (BERLIN, LATE, plant.chicago):
        for days in range(0, 370, 7):
            week = Week(site, date(2026, 1, 5) + timedelta(days=days))
            assert week.due >= week.window.end
