"""Files are what their content says, and small enough."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core.attachments import attach, attachments_of, remove, type_of
from core.comments import comments_of, say
from core.errors import Conflict, Refused
from core.events import history
from core.models import Attachment, Comment

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


def office(folder: str, *more: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("[Content_Types].xml", f"{folder}/a.xml", *more):
            archive.writestr(name, "<x/>")
    return packed.getvalue()


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (PNG, "image/png"),
        (b"GIF89a...", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7 ...", "application/pdf"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (office("xl"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (office("word"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("Grüße, 3 bar\n".encode(), "text/plain"),
        (office("other"), None),
        (office("xl", "xl/vbaProject.bin"), None),
        (b"<html><script>alert(1)</script>", None),
        (b"\xef\xbb\xbf  <svg onload='x'>", None),
        (b"MZ\x90\0program", None),
        (b"\x7fELF", None),
        (b"\xff\xfe\x00", None),
    ],
)
def test_the_type_is_what_the_content_says(content, media):
    assert type_of(SimpleUploadedFile("any", content)) == media


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("photo.png", b"", "file_empty"),
        ("photo.png", b"MZ\x90\0program", "file_type"),
        ("page.html", b"just words", "file_type"),
        ("photo.png.exe", PNG, "file_type"),
        ("photo.jpg", PNG, "file_type"),
        ("noend", PNG, "file_type"),
        ("large.txt", b"x" * 101, "file_too_large"),
    ],
)
def test_a_file_of_the_wrong_type_or_size_is_refused_and_not_stored(plant, settings, store, name, content, code):
    settings.ATTACHMENT_MAX_BYTES = 100
    with pytest.raises(Refused) as caught:
        attach(plant.filler, SimpleUploadedFile(name, content), by=plant.technician, site=plant.berlin)
    assert (caught.value.code, caught.value.field) == (code, "file")
    assert Attachment.objects.count() == 0
    assert [found for found in store.rglob("*") if found.is_file()] == []


def test_an_attached_file_keeps_its_name_but_not_its_path(plant):
    kept = attach(
        plant.filler, SimpleUploadedFile("x", PNG), by=plant.technician, site=plant.berlin, name="..\\..\\etc/photo.png"
    )
    assert (kept.name, kept.content_type, kept.size) == ("photo.png", "image/png", len(PNG))
    assert kept.file.read() == PNG
    assert list(attachments_of(plant.filler)) == [kept]
    assert list(attachments_of(plant.labeller)) == []


def test_a_removed_file_is_off_the_row_and_in_the_history(plant):
    kept = attach(plant.filler, SimpleUploadedFile("a.png", PNG), by=plant.technician, site=plant.berlin)
    remove(kept, plant.filler, by=plant.planner)
    with pytest.raises(Conflict):
        remove(kept, plant.filler, by=plant.planner)
    assert list(attachments_of(plant.filler)) == []
    assert [event.verb for event in history(plant.filler)] == ["attachment.removed", "attachment.added"]


def test_a_comment_is_kept_with_its_author(plant):
    said = say(plant.filler, " Sounds better now. ", by=plant.technician, site=plant.berlin)
    assert [(each.body, each.author) for each in comments_of(plant.filler)] == [
        ("Sounds better now.", plant.technician)
    ]
    assert history(plant.filler).first().data == {"comment": said.pk}


@pytest.mark.parametrize("body", ["", "  \n ", "x" * 4001])
def test_an_empty_or_endless_comment_is_refused(plant, body):
    with pytest.raises(Refused):
        say(plant.filler, body, by=plant.technician, site=plant.berlin)
    assert Comment.objects.count() == 0
