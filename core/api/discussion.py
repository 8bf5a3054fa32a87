"""Comments and files of a row, as sub-resources: `resource/{id}/comments/` and `resource/{id}/attachments/`."""

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser

from core import attachments, comments
from core.api.parsers import JSONParser
from core.api.resource import as_json
from core.api.serializers import RowSerializer, Strict
from core.api.shapes import shape_of
from core.errors import NotAllowed
from core.models import Attachment, Comment
from core.serializers import PersonReference
from core.talk import may_remove, sealed


class CommentSerializer(RowSerializer):
    """What somebody said about a row."""

    author = PersonReference(read_only=True)

    class Meta:
        model = Comment
        fields = ["id", "author", "body", "at"]
        read_only_fields = ["at"]


class AttachmentSerializer(RowSerializer):
    """A file of a row; its content is at attachments/{id}/."""

    author = PersonReference(read_only=True)

    class Meta:
        model = Attachment
        fields = ["id", "author", "name", "content_type", "size", "sha256", "at"]
        read_only_fields = fields


class Upload(Strict):
    """One file, as multipart form data."""

    file = serializers.FileField()


class Discussed:
    """Comments and files for a resource whose rows have a site; whoever sees a row may add to it."""

    @extend_schema(methods=["GET"], responses=CommentSerializer(many=True))
    @extend_schema(methods=["POST"], request=CommentSerializer, responses={201: CommentSerializer})
    @action(detail=True, methods=["get", "post"], filterset_class=None, pagination_class=None)
    def comments(self, request, *args, **kwargs):
        """What was said about the row, oldest first; say something."""
        row = self.row_to_change()
        if request.method == "GET":
            return self.rows_of(CommentSerializer, comments.comments_of(row))
        body = self.read(CommentSerializer)["body"]
        comment = comments.say(row, body, by=request.user, site=row.site)
        return self.rows_of(CommentSerializer, [comment], status=201)

    @extend_schema(methods=["GET"], responses=AttachmentSerializer(many=True))
    @extend_schema(methods=["POST"], request={"multipart/form-data": Upload}, responses={201: AttachmentSerializer})
    @action(
        detail=True, methods=["get", "post"], filterset_class=None, pagination_class=None,
        parser_classes=[MultiPartParser, JSONParser],
    )  # fmt: skip
    def attachments(self, request, *args, **kwargs):
        """The files of the row, oldest first; add one."""
        row = self.row_to_change()
        if request.method == "GET":
            return self.rows_of(AttachmentSerializer, attachments.attachments_of(row))
        upload = self.read(Upload)["file"]
        made = attachments.attach(row, upload, by=request.user, site=row.site)
        return self.rows_of(AttachmentSerializer, [made], status=201)

    @extend_schema(methods=["GET"], responses={200: OpenApiResponse(OpenApiTypes.BINARY)})
    @extend_schema(methods=["DELETE"], responses={204: None})
    @action(
        detail=True, methods=["get", "delete"], url_path=r"attachments/(?P<attachment>[0-9]{1,18})",
        filterset_class=None,
    )  # fmt: skip
    def attachment(self, request, *args, attachment, **kwargs):
        """The content of a file; its author, or whoever plans, may take it off the row."""
        row = self.row_to_change()
        found = attachments.attachments_of(row).filter(pk=attachment).first()
        if found is None:
            raise Http404
        if request.method == "GET":
            return sealed(found)
        if not may_remove(request.user, found):
            raise NotAllowed("Its author, or whoever plans at the site, takes a file away.")
        attachments.remove(found, row, by=request.user)
        return HttpResponse(status=204)

    def rows_of(self, serializer_class, rows, *, status: int | None = None) -> HttpResponse:
        """The rows as a list; with a status, the one row."""
        found = [row.pk for row in rows]
        texts = ",".join(shape_of(serializer_class).texts(found, self.request.user))
        return as_json(texts, status=status) if status else as_json(f"[{texts}]")
