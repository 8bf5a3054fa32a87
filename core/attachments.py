"""Files that belong to a row: what may be attached, and taking one away.

The type of a file is what its content says, never what its name or the sender says; anything else is refused.
"""

import hashlib
import re
from pathlib import PurePath

from django.conf import settings
from django.core.files import File
from django.db import models, transaction
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Conflict, Refused
from core.events import label_of, record
from core.models import Attachment

IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
ENDINGS = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
    "video/mp4": (".mp4", ".m4v", ".mov"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (".xlsx",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (".docx",),
    "text/plain": (".txt", ".csv", ".log"),
}
_OFFICE = {b"xl/": ".xlsx", b"word/": ".docx"}
_HEAD = 4096  # bytes that tell the type
_CONTROLS = re.compile(r"[^\t\r\n\f -~\x80-\U0010ffff]")


def attach(obj: models.Model, upload: File, *, by, site, name: str = "", tell: bool = True) -> Attachment:
    """Keep an uploaded file with a row. Refused when it is empty, too large or of a type that is not accepted.

    `tell=False` leaves the event to the verb that the file is part of.
    """
    name = PurePath((name or upload.name or "").replace("\\", "/")).name.replace("\x00", "")[:200] or "file"
    most = settings.ATTACHMENT_MAX_BYTES
    if not upload.size:
        raise Refused(_("“%(name)s” is empty.") % {"name": name}, code="file_empty", field="file")
    if upload.size > most:
        raise Refused(
            _("“%(name)s” is larger than %(most)s.") % {"name": name, "most": filesizeformat(most)},
            code="file_too_large",
            field="file",
        )
    content_type = type_of(upload)
    if content_type is None or not name.lower().endswith(ENDINGS[content_type]):
        raise Refused(
            _("“%(name)s” is not a file of an accepted type: %(types)s.")
            % {"name": name, "types": ", ".join(ending for endings in ENDINGS.values() for ending in endings)},
            code="file_type",
            field="file",
        )
    with transaction.atomic():
        attachment = Attachment(
            site=site,
            object_type=label_of(obj),
            object_id=obj.pk,
            name=name,
            content_type=content_type,
            size=upload.size,
            sha256=digest_of(upload),
            author=by,
        )
        attachment.file.save(name, upload, save=False)
        attachment.save()
        if tell:
            record("attachment.added", obj, by=by, site=site, summary=f"File {name} added", attachment=attachment.pk)
    return attachment


@transaction.atomic
def remove(attachment: Attachment, obj: models.Model, *, by) -> None:
    """Take a file off its row; it stays in the store, and the history says who removed it."""
    rows = Attachment.objects.filter(pk=attachment.pk, removed_at=None)
    if not rows.update(removed_at=timezone.now()):
        raise Conflict(_("This file was removed already."), code="removed")
    record(
        "attachment.removed", obj, by=by, site=attachment.site, summary=f"File {attachment.name} removed",
        attachment=attachment.pk,
    )  # fmt: skip


def attachments_of(obj: models.Model) -> models.QuerySet[Attachment]:
    """The files of a row, oldest first."""
    return Attachment.objects.filter(object_type=label_of(obj), object_id=obj.pk, removed_at=None).select_related(
        "author"
    )


def type_of(upload: File) -> str | None:
    """The media type that the content shows, or None if it is none of the accepted ones."""
    upload.seek(0)
    head = upload.read(_HEAD)
    upload.seek(0)
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head[4:8] == b"ftyp":
        return "video/mp4"
    if head.startswith(b"PK\x03\x04"):
        return _office(upload)
    return "text/plain" if _is_text(upload) else None


def _office(upload: File) -> str | None:
    """A spreadsheet or a document by the folder inside of its archive; other archives are not accepted."""
    content = upload.read()
    upload.seek(0)
    if b"[Content_Types].xml" not in content or b"vbaProject.bin" in content:
        return None
    for folder, ending in _OFFICE.items():
        if folder in content:
            return next(media for media, endings in ENDINGS.items() if ending in endings)
    return None


def _is_text(upload: File) -> bool:
    content = upload.read()
    upload.seek(0)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    if _CONTROLS.search(text):
        return False
    # A page or a drawing with scripts would be text as well.
    return not text.lstrip("\ufeff \r\n\t").startswith("<")


def digest_of(upload: File) -> str:
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return digest.hexdigest()
