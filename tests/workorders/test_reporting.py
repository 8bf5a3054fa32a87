"""A problem is reported by anybody at the site, and answered once."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from assets.models import Downtime
from core.attachments import attachments_of
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from core.models import Comment
from tests.workorders.orders import order
from workorders.models import Request, WorkOrder
from workorders.reporting import accept, decline, join, open_work, report
from workorders.states import State

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


@pytest.fixture
def request_(plant):
    return report(plant.filler, "It drips", by=plant.requester)


def test_a_problem_is_reported_with_a_photo(plant, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    made = report(
        plant.filler, " It drips ", by=plant.requester, is_down=True, files=[SimpleUploadedFile("drip.png", PNG)]
    )
    assert (made.summary, made.is_down, made.state, made.site) == ("It drips", True, "new", plant.berlin)
    assert [each.name for each in attachments_of(made)] == ["drip.png"]
    assert [event.verb for event in history(made)] == ["request.reported"]


def test_a_report_with_a_bad_file_is_not_kept_by_half(plant, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with pytest.raises(Refused, match="accepted type"):
        report(plant.filler, "It drips", by=plant.requester, files=[SimpleUploadedFile("drip.png", b"MZ\x90\0")])
    assert Request.objects.count() == 0


def test_a_stranger_or_an_empty_report_is_refused(plant):
    with pytest.raises(NotAllowed):
        report(plant.filler, "It drips", by=plant.stranger)
    with pytest.raises(Refused):
        report(plant.filler, "  ", by=plant.requester)
    assert Request.objects.count() == 0


def test_an_accepted_request_becomes_an_order_that_its_reporter_verifies(plant, request_):
    made = accept(request_, by=plant.planner)
    request_.refresh_from_db()
    assert (request_.state, request_.work_order) == ("accepted", made)
    assert (made.state, made.summary, made.reported_by, made.reported_at) == (
        "approved", "It drips", plant.requester, request_.reported_at,
    )  # fmt: skip
    assert history(request_).first().summary == "Accepted as #1: It drips"


def test_a_machine_that_stands_still_is_recorded_as_down_since_the_report(plant):
    request = report(plant.filler, "It stopped", by=plant.requester, is_down=True)
    made = accept(request, by=plant.planner)
    assert (made.downtime.start, made.downtime.end, made.priority) == (request.reported_at, None, 1)


def test_a_stop_that_is_recorded_already_is_linked_and_not_doubled(plant):
    stop = Downtime.objects.create(asset=plant.filler, start=timezone.now())
    made = accept(report(plant.filler, "It stopped", by=plant.requester, is_down=True), by=plant.planner)
    assert made.downtime == stop
    assert Downtime.objects.count() == 1


def test_a_request_is_declined_with_an_answer_for_its_reporter(plant, request_):
    with pytest.raises(Refused):
        decline(request_, by=plant.planner, answer=" ")
    request_.refresh_from_db()
    assert request_.state == "new"
    decline(request_, by=plant.planner, answer="That is condensation.")
    request_.refresh_from_db()
    assert (request_.state, request_.answer, WorkOrder.objects.count()) == ("declined", "That is condensation.", 0)


def test_a_request_is_answered_once(plant, request_):
    accept(request_, by=plant.planner)
    for again in (
        lambda: accept(request_, by=plant.administrator),
        lambda: decline(request_, by=plant.planner, answer="No"),
    ):
        with pytest.raises(Conflict, match="accepted already"):
            again()
    assert WorkOrder.objects.count() == 1


@pytest.mark.parametrize("name", ["requester", "technician", "manager", "stranger"])
def test_only_a_planner_answers_requests(plant, request_, name):
    for attempt in (
        lambda: accept(request_, by=getattr(plant, name)),
        lambda: decline(request_, by=getattr(plant, name), answer="No"),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    request_.refresh_from_db()
    assert (request_.state, WorkOrder.objects.count()) == ("new", 0)


def test_open_work_on_an_asset_is_shown_before_somebody_asks_again(plant, request_):
    running, closed = order(plant, State.IN_PROGRESS), order(plant, State.CLOSED)
    other = order(plant, State.APPROVED, asset=plant.labeller)
    assert open_work(plant.filler) == ([running], [request_])
    assert open_work(plant.labeller) == ([other], [])
    assert closed not in open_work(plant.filler)[0]


def test_somebody_else_joins_a_request_instead_of_repeating_it(plant, request_):
    join(request_, by=plant.technician)
    comment = Comment.objects.get()
    assert (comment.body, comment.object_id, comment.author) == (
        "This affects me as well.", request_.pk, plant.technician,
    )  # fmt: skip
    with pytest.raises(NotAllowed):
        join(request_, by=plant.stranger)
    assert Comment.objects.count() == 1
