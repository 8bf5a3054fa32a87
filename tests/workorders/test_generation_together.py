"""Generation by several processes, interrupted and resumed: whole chunks, each order exactly once."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from cmms.celery import app
from cmms.local.process import until
from cmms.schedule import JOBS
from core.models import Event, JobRun
from tests import plant as world
from tests.together import together
from tests.workers import wait, workshop
from tests.workorders.planned import MONDAY, story, weekly
from workorders import generation, planning, tasks
from workorders.generation import Outcome, generate
from workorders.models import NumberSeries, PlanAsset, PlanOccurrence, Step, WorkOrder

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = MONDAY - timedelta(days=3)
GATE = 20_260_601  # an advisory lock at which a trigger of the test stops a run


@pytest.fixture
def crowd(transactional_db):
    """Forty machines in Berlin under one weekly plan."""
    plant = world.build()
    assets = [world.asset(plant.berlin, f"P{number:02}") for number in range(40)]
    return weekly(plant.berlin, assets, now=BEFORE)


def assert_each_order_once(plan, count: int) -> None:
    orders = WorkOrder.objects.filter(site=plan.site)
    assert sorted(orders.values_list("number", flat=True)) == list(range(1, count + 1))
    assert orders.values("asset").distinct().count() == count
    assert Step.objects.filter(order__in=orders).count() == 2 * count
    assert Event.objects.filter(verb="work_order.raised").count() == count
    assert PlanOccurrence.objects.filter(plan=plan, state="generated").count() == count
    assert PlanAsset.objects.filter(plan=plan, ready_at__lte=MONDAY).count() == 0
    assert NumberSeries.objects.get(site=plan.site).last == count


def test_two_generators_at_once_double_nothing(crowd):
    results = together(lambda: generate(now=MONDAY, chunk=3), lambda: generate(now=MONDAY, chunk=3))

    assert sum((result for result in results), Outcome()) == Outcome(orders=40)
    assert_each_order_once(crowd, 40)


def test_a_pair_that_somebody_holds_is_left_to_the_next_run(crowd):
    held = PlanAsset.objects.order_by("pk").first()

    def generate_beside():
        return generate(now=MONDAY)

    with transaction.atomic():
        PlanAsset.objects.select_for_update().get(pk=held.pk)
        [outcome] = together(generate_beside)
    assert outcome == Outcome(orders=39)
    assert story(crowd, held.asset)[0] == (1, "06-01", "forecast")

    assert generate(now=MONDAY) == Outcome(orders=1)
    assert_each_order_once(crowd, 40)


def test_two_people_skipping_the_same_occurrence_record_one_skip(crowd):
    occurrence = PlanOccurrence.objects.filter(plan=crowd).order_by("pk").first()

    results = together(
        lambda: planning.skip(occurrence, by=None, reason="One", now=BEFORE),
        lambda: planning.skip(PlanOccurrence.objects.get(pk=occurrence.pk), by=None, reason="Two", now=BEFORE),
    )

    assert sorted(type(result).__name__ for result in results) == ["Conflict", "PlanOccurrence"]
    assert Event.objects.filter(verb="preventive_plan.skipped").count() == 1


@pytest.fixture
def gate(crowd):
    """A trigger that lets nobody insert order number 25 while the test holds the gate."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION stop_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.number = 25 THEN PERFORM pg_advisory_xact_lock({GATE}); END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER gate BEFORE INSERT ON workorders_workorder
                FOR EACH ROW EXECUTE FUNCTION stop_at_the_gate();
            SELECT pg_advisory_lock({GATE});
            """
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all(); DROP FUNCTION stop_at_the_gate() CASCADE")


def somebody_waits_at_the_gate() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        return cursor.fetchone()[0]


@pytest.mark.worker
def test_a_worker_killed_in_the_middle_of_a_chunk_is_replaced_and_the_run_completes_exactly(crowd, gate, tmp_path):
    with workshop(tmp_path, patience=1) as shop:
        doomed = shop.worker()
        shop.send("workorders.tasks.generate_preventive_at", crowd.site_id, None, 10)
        assert until(somebody_waits_at_the_gate, 60, wait)

        shop.kill(doomed)

        # Two whole chunks are there; of the third, in which it was killed, nothing.
        assert WorkOrder.objects.count() == 20
        assert PlanOccurrence.objects.filter(state="generated").count() == 20
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
        shop.worker()
        assert until(lambda: WorkOrder.objects.count() == 40, 90, wait)
        assert until(lambda: JobRun.objects.filter(finished__isnull=False).exists(), 30, wait)

    assert_each_order_once(crowd, 40)
    killed, completed = JobRun.objects.order_by("started")
    assert (killed.finished, killed.fact) == (None, "")
    assert (completed.rows, completed.error) == (20, "")


# --- By schedule and by hand -------------------------------------------------------------------


@pytest.fixture
def eager(monkeypatch):
    """Tasks run at once, and it is that Monday."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: MONDAY)
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def test_the_schedule_sends_one_run_to_each_site_with_work(crowd, eager):
    assert tasks.generate_preventive.delay().get() == "1 sites"

    run = JobRun.objects.get()
    assert (run.name, run.site, run.rows, run.error) == ("workorders.generate_preventive", crowd.site, 40, "")
    assert run.fact == "40 orders generated"


def test_a_run_with_nothing_due_says_so(crowd, eager):
    PlanAsset.objects.update(ready_at=None)

    tasks.generate_preventive.delay().get()

    assert JobRun.objects.get().fact == "nothing was due"


def test_generation_is_in_the_table_of_schedules():
    job = next(job for job in JOBS if job.task == tasks.generate_preventive.name)

    assert job.sentence.startswith("Every hour: ")


def test_a_run_that_fails_keeps_the_chunks_before_it_and_says_why(crowd, monkeypatch, eager):
    seen = []

    def fails_at_the_second_chunk(*arguments):
        seen.append(arguments)
        if len(seen) == 2:
            raise RuntimeError("disk is full")
        return real(*arguments)

    real = generation._raise_orders
    monkeypatch.setattr(generation, "_raise_orders", fails_at_the_second_chunk)

    with pytest.raises(RuntimeError):
        tasks.generate_preventive_at.delay(crowd.site_id, chunk=15).get()

    assert WorkOrder.objects.count() == 15
    assert JobRun.objects.get().error == "RuntimeError: disk is full"


def test_the_command_generates_for_one_site_until_a_day(crowd, capsys):
    PlanOccurrence.objects.all().delete()
    PlanAsset.objects.update(ready_at=None, next_due=None, planned_to=None)
    planning.replan(crowd)
    first = PlanOccurrence.objects.order_by("due").first()

    call_command("generate_preventive", site="berlin", until=f"{crowd.site.local(first.due):%Y-%m-%d}")

    assert capsys.readouterr().out == "berlin: 40 orders generated\n"
    assert JobRun.objects.get().rows == 40


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"site": "paris"}, "There is no site 'paris'."),
        ({"until": "tomorrow"}, "'tomorrow' is not a day such as 2026-05-31."),
        ({"until": "2026-02-30"}, "'2026-02-30' is not a day such as 2026-05-31."),
    ],
)
def test_the_command_refuses_what_it_cannot_read(crowd, options, message):
    with pytest.raises(CommandError, match=message):
        call_command("generate_preventive", **options)

    assert WorkOrder.objects.count() == 0
