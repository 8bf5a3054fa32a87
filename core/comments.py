"""What people say about a row."""

from django.db import models, transaction
from django.utils.translation import gettext as _

from core.errors import Refused
from core.events import label_of, record
from core.models import Comment

LONGEST = 4000


@transaction.atomic
def say(obj: models.Model, body: str, *, by, site) -> Comment:
    """Add a comment to a row."""
    body = body.strip().replace("\x00", "")
    if not body:
        raise Refused(_("Write something first."), code="comment_empty", field="body")
    if len(body) > LONGEST:
        raise Refused(
            _("Write at most %(most)d characters.") % {"most": LONGEST}, code="comment_too_long", field="body"
        )
    comment = Comment.objects.create(site=site, object_type=label_of(obj), object_id=obj.pk, author=by, body=body)
    record("comment.added", obj, by=by, site=site, summary=f"Comment: {body}"[:300], comment=comment.pk)
    return comment


def comments_of(obj: models.Model) -> models.QuerySet[Comment]:
    """The comments on a row, oldest first."""
    return Comment.objects.filter(object_type=label_of(obj), object_id=obj.pk).select_related("author")
