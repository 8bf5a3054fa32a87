"""Pages through which a row of any app gets comments and files, and a file is served.

class CommentOrder(AddComment):
    model = WorkOrder
"""

from typing import Any

from django.apps import apps
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.attachments import IMAGES, attach, remove
from core.comments import say
from core.errors import DomainError
from core.kit.form_views import ActionPage
from core.kit.views import ObjectPage
from core.models import Attachment

# A file is never a page of ours: no script, no frame, no request may come of it.
SEALED = "default-src 'none'; sandbox"


class _Add(ObjectPage):
    """Adds something to a row and goes back to it; `?next=` may say where to."""

    http_method_names = ["post"]

    def may_object(self, user, obj) -> bool:
        return user.can("report", obj.site)

    def add(self) -> str:
        """Do it; answer with a sentence."""
        raise NotImplementedError

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            messages.success(request, self.add())
        except DomainError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(self.back(self.object.get_absolute_url()))


class AddComment(_Add):
    def add(self) -> str:
        say(self.object, self.request.POST.get("body", ""), by=self.request.user, site=self.object.site)
        return _("Your comment is there.")


class AddFiles(_Add):
    def add(self) -> str:
        files = self.request.FILES.getlist("file")
        for upload in files:
            attach(self.object, upload, by=self.request.user, site=self.object.site)
        return _("The file is there.") if files else _("Choose a file first.")


class AttachmentFile(ObjectPage):
    """A file for those who may see its site; a picture shows itself, everything else is downloaded."""

    model = Attachment
    http_method_names = ["get", "head"]

    def rows(self):
        return super().rows().filter(removed_at=None)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> FileResponse:
        return sealed(self.object)


def sealed(attachment: Attachment) -> FileResponse:
    """The content of a file as an answer that no browser runs or guesses about."""
    try:
        stored = attachment.file.open("rb")
    except FileNotFoundError:
        raise Http404(_("This file is no longer in the store.")) from None
    response = FileResponse(
        stored,
        as_attachment=attachment.content_type not in IMAGES,
        filename=attachment.name,
        content_type=attachment.content_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SEALED
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, max-age=86400"
    return response


def may_remove(user, attachment: Attachment) -> bool:
    """Its author, or whoever plans at the site."""
    return attachment.author_id == user.pk or user.can("plan", attachment.site_id)


class RemoveAttachment(ActionPage):
    """Take a file off its row: its author, or whoever plans."""

    model = Attachment
    title = gettext_lazy("Remove file")
    submit = gettext_lazy("Remove")
    icon = "trash"
    tone = "stop"

    def rows(self):
        return super().rows().filter(removed_at=None)

    def may_object(self, user, obj) -> bool:
        return may_remove(user, obj)

    @property
    def owner(self):
        return get_object_or_404(apps.get_model(self.object.object_type), pk=self.object.object_id)

    def crumbs(self):
        return [(str(self.owner), self.owner.get_absolute_url())]

    def do(self, obj) -> str:
        remove(obj, self.owner, by=self.request.user)
        return _("%(name)s is removed.") % {"name": obj.name}

    def success_url(self) -> str:
        return self.owner.get_absolute_url()
