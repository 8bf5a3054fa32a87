"""The life of an import: pages and their permissions, background work, undo, what must not happen."""

import kombu.exceptions
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assets import stops
from assets.models import Asset, Downtime, Failure, Placement
from cmms.local.process import free_port
from core import tasks
from core.errors import Conflict, Refused
from core.imports import running, runs
from core.models import Event, ImportRun, ImportState
from workorders.models import Cost, Labour, NumberSeries, WorkOrder

ORDERS = "asset,summary,date,cost\nM1,Belt torn,2026-03-02,5\nQ7,Greased,2026-03-03,6\n"
STOPS = "machine,from,to\nM1,2026-03-02 08:00,2026-03-02 09:30\nM2,2026-03-02 08:00,2026-03-02 09:30\n"


def upload(client, content: str, kind: str = "downtimes", name: str = "stops.csv"):
    return client.post(reverse("import-new"), {"kind": kind, "file": SimpleUploadedFile(name, content.encode())})


def posted(form) -> dict:
    values = {name: form.initial.get(name, field.initial) or "" for name, field in form.fields.items()}
    return {name: value for name, value in values.items() if not (name.startswith("option_") and not value)}


def mapped(client, run: ImportRun, **changes):
    form = client.get(reverse("import-mapping", args=[run.pk])).context["form"]
    return client.post(reverse("import-mapping", args=[run.pk]), posted(form) | changes)


def test_the_pages_lead_from_the_file_to_the_rows(plant, client):
    client.force_login(plant.planner)
    assert upload(client, STOPS).status_code == 302
    run = ImportRun.objects.get()
    assert (run.site, run.by, run.state) == (plant.berlin, plant.planner, ImportState.UPLOADED)
    assert client.get(run.get_absolute_url()).url == reverse("import-mapping", args=[run.pk])
    assert mapped(client, run).url == run.get_absolute_url()
    page = client.get(run.get_absolute_url())
    assert b"Nothing is imported yet" in page.content
    assert Downtime.objects.count() == 0
    client.post(reverse("import-start", args=[run.pk]))
    assert Downtime.objects.count() == 2
    assert b"2 rows imported" in client.get(run.get_absolute_url()).content
    assert Event.objects.get(verb="import.done").actor == plant.planner
    history = client.get(reverse("imports"))
    assert b"stops.csv" in history.content


def test_a_wrong_file_is_refused_at_its_field_and_nothing_is_kept(plant, client):
    client.force_login(plant.planner)
    answer = upload(client, "%PDF-1.4 report", name="report.csv")
    assert answer.status_code == 422
    assert "This is a PDF" in answer.context["form"].errors["file"][0]
    assert ImportRun.objects.count() == 0


def test_a_missing_column_is_asked_for(plant, client):
    client.force_login(plant.planner)
    upload(client, "thing,from\nM1,2026-03-02 08:00\n")
    run = ImportRun.objects.get()
    answer = mapped(client, run)
    assert answer.status_code == 422
    assert "column_asset" in answer.context["form"].errors
    run.refresh_from_db()
    assert run.state == ImportState.UPLOADED


def test_days_that_may_be_mistaken_are_asked_for_with_what_they_would_mean(plant, client):
    client.force_login(plant.planner)
    upload(client, "machine,from\nM1,03/04/2026 08:00\n")
    run = ImportRun.objects.get()
    answer = mapped(client, run)
    assert "date_format" in answer.context["form"].errors
    labels = [str(label) for _value, label in answer.context["form"].fields["date_format"].choices]
    assert labels[1:] == ["03/04/2026 08:00 is 03 April 2026", "03/04/2026 08:00 is 04 March 2026"]
    assert mapped(client, run, date_format="mdy/").status_code == 302


def test_another_column_for_a_choice_is_followed_by_the_question_what_its_values_mean(plant, client):
    client.force_login(plant.planner)
    upload(client, "asset,summary,date,sort\nM1,x,2026-03-02,PM01\n", kind="work-orders")
    run = ImportRun.objects.get()
    answer = mapped(client, run, column_kind="sort")
    assert answer.status_code == 422
    form = answer.context["form"]
    assert form.value_fields == {"value_kind_0": ("kind", "PM01")}
    assert mapped(client, run, column_kind="sort", value_kind_0="corrective").status_code == 302


def test_the_mapping_is_remembered_for_the_next_file_of_the_site(plant, client):
    client.force_login(plant.planner)
    upload(client, "ding,from\nM1,2026-03-02 08:00\n")
    first = ImportRun.objects.get()
    mapped(client, first, column_asset="ding")
    client.post(reverse("import-start", args=[first.pk]))
    upload(client, "ding,from\nM2,2026-03-02 08:00\n")
    assert ImportRun.objects.first().mapping["columns"]["asset"] == "ding"


def test_encoding_and_delimiter_can_be_named_on_the_page(plant, client):
    client.force_login(plant.planner)
    upload(client, "machine;from;note, long\nM1;2026-03-02 08:00;a, b\n")
    run = ImportRun.objects.get()
    assert run.reading["delimiter"] == ";"
    page = reverse("import-mapping", args=[run.pk])
    client.post(page, {"reading": "1", "encoding": "utf-8", "delimiter": ","})
    run.refresh_from_db()
    assert run.reading["delimiter"] == ","
    assert client.get(page).context["form"].header == ["machine;from;note", "long"]


def test_imports_of_another_site_do_not_exist_and_technicians_may_not_import(plant, client):
    client.force_login(plant.planner)
    upload(client, STOPS)
    run = ImportRun.objects.get()
    pages = [reverse(name, args=[run.pk]) for name in ("import", "import-mapping", "import-rejects", "import-undo")]
    client.force_login(plant.stranger)
    for page in pages:
        assert client.get(page).status_code == 404
    assert client.post(reverse("import-start", args=[run.pk])).status_code == 404
    client.force_login(plant.requester)
    for page in [*pages, reverse("imports"), reverse("import-new")]:
        assert client.get(page).status_code == 403
    client.logout()
    for page in [*pages, reverse("imports")]:
        assert client.get(page).status_code == 302
    assert Downtime.objects.count() == 0


def asked(queries: CaptureQueriesContext) -> list[str]:
    """What was asked of the tables; the session may come from the cache or not."""
    return [query["sql"][:60] for query in queries if "django_session" not in query["sql"]]


def test_the_history_takes_a_constant_number_of_queries(plant, client):
    client.force_login(plant.planner)
    upload(client, STOPS)
    client.get(reverse("imports"))  # which shows the message of the upload
    with CaptureQueriesContext(connection) as one:
        client.get(reverse("imports"))
    for _ in range(5):
        upload(client, STOPS)
    client.get(reverse("imports"))
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("imports"))
    assert asked(many) == asked(one)


def test_a_large_file_is_worked_on_in_the_background(plant, client, monkeypatch, django_capture_on_commit_callbacks):
    queued = []
    monkeypatch.setattr(runs, "INLINE_BYTES", 10)
    monkeypatch.setattr(tasks.carry_out_import, "delay", queued.append)
    client.force_login(plant.planner)
    upload(client, STOPS)
    run = ImportRun.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        mapped(client, run)
    run.refresh_from_db()
    assert (run.state, queued) == (ImportState.CHECKING, [run.pk])
    assert b"every 2s" in client.get(run.get_absolute_url()).content
    tasks.carry_out_import(run.pk)
    run.refresh_from_db()
    assert run.state == ImportState.CHECKED
    assert tasks.carry_out_import(run.pk) == "nothing to do"


def test_two_who_press_at_the_same_moment_import_once(bring_in, plant):
    run = bring_in("downtimes", STOPS, dry_run=True)
    stale = ImportRun.objects.get(pk=run.pk)
    runs.start(run, by=plant.planner, importing=True, queue=print)
    with pytest.raises(Conflict):
        runs.start(stale, by=plant.planner, importing=True, queue=print)
    assert Downtime.objects.count() == 2


def test_an_import_that_breaks_leaves_nothing_and_says_so(bring_in, monkeypatch):
    def break_down(self, rows):
        raise RuntimeError("the power went")

    monkeypatch.setattr("assets.importers.DowntimeImporter.take", break_down)
    with pytest.raises(RuntimeError):
        bring_in("downtimes", STOPS)
    run = ImportRun.objects.get()
    assert (run.state, run.created) == (ImportState.FAILED, {})
    assert "power" not in run.error
    assert Downtime.objects.count() == 0


@pytest.fixture
def checking(plant, client, monkeypatch, django_capture_on_commit_callbacks) -> ImportRun:
    """A large file whose check could not be queued, because the broker was away."""
    monkeypatch.setattr(runs, "INLINE_BYTES", 10)
    monkeypatch.setattr(tasks.carry_out_import, "delay", raising(kombu.exceptions.OperationalError("refused")))
    client.force_login(plant.planner)
    upload(client, STOPS)
    run = ImportRun.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        assert mapped(client, run).status_code == 302
    run.refresh_from_db()
    assert run.state == ImportState.CHECKING
    return run


def raising(error: Exception):
    def lost(*args, **kwargs):
        raise error

    return lost


def test_an_import_that_could_not_be_queued_is_taken_up_later(checking, monkeypatch):
    monkeypatch.setattr(tasks.carry_out_import, "delay", tasks.carry_out_import)
    assert tasks.resume_imports() == "1 imports"
    checking.refresh_from_db()
    assert checking.state == ImportState.CHECKED
    assert tasks.resume_imports() == "0 imports"


def test_an_import_that_lost_the_database_begins_anew(checking, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("assets.importers.DowntimeImporter.take", raising(OperationalError("the server is gone")))
        with pytest.raises(OperationalError):
            tasks.carry_out_import(checking.pk)
    checking.refresh_from_db()
    assert (checking.state, checking.error) == (ImportState.CHECKING, "")
    tasks.carry_out_import(checking.pk)
    checking.refresh_from_db()
    assert checking.state == ImportState.CHECKED


def test_a_lost_cache_does_not_stop_an_import(checking, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{free_port()}/1"}}
    tasks.carry_out_import(checking.pk)
    checking.refresh_from_db()
    assert checking.state == ImportState.CHECKED


def test_what_only_the_database_notices_is_traced_to_its_row(bring_in, monkeypatch):
    monkeypatch.setattr("workorders.importers.WorkOrderImporter.priority", lambda self, order: None)
    run = bring_in("work-orders", "asset,summary,date,priority\nM1,a,2026-03-02,1\nM1,b,2026-03-02,\n")
    assert run.counts["rejected"] == 1
    assert run.report["problems"][0]["line"] == 3
    assert WorkOrder.objects.count() == 0


def test_rows_are_written_in_chunks_with_a_bounded_number_of_queries(bring_in, monkeypatch):
    lines = "".join(f"M1,order {n},2026-03-02,1\n" for n in range(300))
    with CaptureQueriesContext(connection) as queries:
        bring_in("work-orders", f"asset,summary,date,cost\n{lines}")
    assert WorkOrder.objects.count() == 300
    assert len(queries) < 90
    assert running.CHUNK == 500


# --- Undo ---


def test_undo_takes_back_everything_the_import_brought_in(bring_in, plant):
    before = (Asset.objects.count(), Placement.objects.count())
    run = bring_in("work-orders", ORDERS, options=["create_assets", "failures"])
    assert (WorkOrder.objects.count(), Cost.objects.count(), Failure.objects.count()) == (2, 2, 2)
    assert runs.undo(run, by=plant.administrator) == 8
    assert (WorkOrder.objects.count(), Cost.objects.count(), Failure.objects.count()) == (0, 0, 0)
    assert (Asset.objects.count(), Placement.objects.count()) == before
    assert run.state == ImportState.UNDONE
    assert NumberSeries.objects.get(site=plant.berlin).last == 2  # numbers are never given again
    again = bring_in("work-orders", ORDERS, options=["create_assets"])
    assert again.counts["accepted"] == 2


def test_undo_is_refused_once_somebody_built_upon_the_rows(bring_in, plant):
    run = bring_in("work-orders", ORDERS, options=["create_assets"])
    order = WorkOrder.objects.order_by("pk").first()
    Labour.objects.create(order=order, person=plant.technician, start=order.reported_at)
    with pytest.raises(Refused, match="built upon"):
        runs.undo(run, by=plant.administrator)
    run.refresh_from_db()
    assert (run.state, WorkOrder.objects.count()) == (ImportState.DONE, 2)


def test_undo_is_refused_once_a_row_was_corrected(bring_in, plant):
    run = bring_in("downtimes", STOPS)
    stop = Downtime.objects.first()
    stops.correct(stop, {"note": "belt"}, by=plant.planner)
    with pytest.raises(Refused, match="changed"):
        runs.undo(run, by=plant.administrator)
    assert Downtime.objects.count() == 2


def test_undo_by_the_page_asks_first(bring_in, plant, client):
    run = bring_in("downtimes", STOPS)
    client.force_login(plant.planner)
    page = reverse("import-undo", args=[run.pk])
    assert client.get(page).status_code == 200
    assert Downtime.objects.count() == 2
    client.post(page)
    assert Downtime.objects.count() == 0


# --- The command ---


def test_the_command_says_what_is_wrong_and_imports_nothing(plant, make_file, capsys):
    path = make_file("machine,from\nM9,2026-03-02 08:00\n")
    with pytest.raises(SystemExit):
        call_command("import", "downtimes", str(path), "--site", "berlin")
    said = capsys.readouterr()
    assert "line 2: machine 'M9': the site has no asset with this code" in said.err
    assert Downtime.objects.count() == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--site", "nowhere"], "no site nowhere"),
        (["--site", "berlin", "--map", "asset"], "FIELD=COLUMN"),
        (["--site", "berlin", "--map", "asset=wrong"], "no column"),
        (["--site", "berlin", "--user", "nobody"], "no user"),
        (["--site", "berlin", "--user", "requester"], "Your role"),
        (["--site", "berlin", "--date-format", "yy"], "not known"),
    ],
)
def test_the_command_refuses_what_makes_no_sense(plant, make_file, arguments, reason):
    with pytest.raises(CommandError, match=reason):
        call_command("import", "downtimes", str(make_file(STOPS)), *arguments)
    assert Downtime.objects.count() == 0


def test_the_command_can_try_without_keeping(plant, make_file, capsys):
    call_command("import", "downtimes", str(make_file(STOPS)), "--site", "berlin", "--dry-run", "--user", "planner")
    assert "2 accepted" in capsys.readouterr().out
    assert Downtime.objects.count() == 0
