"""The two lists that the work-order API is compared with: a bare json_agg view and plain Django REST framework."""

from django.db import connection
from django.http import HttpResponse
from django.urls import path
from rest_framework import generics, pagination, serializers

from assets.models import Asset
from core.models import Site
from people.models import User
from workorders.models import Assignment, WorkOrder


class SiteSerializer(serializers.ModelSerializer):
    class Meta:
        model = Site
        fields = ["id", "code", "name"]


class AssetSerializer(serializers.ModelSerializer):
    class Meta:
        model = Asset
        fields = ["id", "code", "name"]


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "username", "first_name", "last_name"]


class AssignmentSerializer(serializers.ModelSerializer):
    person = PersonSerializer()

    class Meta:
        model = Assignment
        fields = ["id", "person", "start", "minutes"]


class OrderSerializer(serializers.ModelSerializer):
    """What a careful first attempt looks like: nested serializers over prefetched rows."""

    site = SiteSerializer()
    asset = AssetSerializer()
    assignments = AssignmentSerializer(many=True)

    class Meta:
        model = WorkOrder
        exclude = ["version"]


class CountedPages(pagination.PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"


class PlainList(generics.ListAPIView):
    """Plain DRF with an exact count."""

    queryset = WorkOrder.objects.select_related("site", "asset").prefetch_related("assignments__person").order_by("-id")
    serializer_class = OrderSerializer
    pagination_class = CountedPages
    authentication_classes = []
    permission_classes = []
    filter_backends = []


PERSON = "json_build_object('id', {0}.id, 'code', {0}.username, 'name', trim({0}.first_name || ' ' || {0}.last_name))"
BARE = f"""
SELECT json_build_object('next', NULL, 'previous', NULL, 'results', json_agg(row))::text FROM (
    SELECT json_build_object(
        'id', o.id, 'number', o.number,
        'site', json_build_object('id', s.id, 'code', s.code, 'name', s.name),
        'asset', json_build_object('id', a.id, 'code', a.code, 'name', a.name),
        'kind', o.kind, 'state', o.state, 'priority', o.priority, 'priority_reason', o.priority_reason,
        'consequence', o.consequence, 'likelihood', o.likelihood, 'summary', o.summary, 'due_from', o.due_from,
        'due_to', o.due_to, 'estimate', o.estimate_minutes * 60,
        'job_plan', CASE WHEN j.id IS NOT NULL THEN json_build_object('id', j.id, 'code', j.code, 'name', j.title) END,
        'owner', CASE WHEN w.id IS NOT NULL THEN {PERSON.format("w")} END,
        'assignments', ARRAY(
            SELECT json_build_object('id', x.id, 'person', {PERSON.format("p")}, 'start', x.start,
                                     'duration', x.minutes * 60)
            FROM workorders_assignment x JOIN people_user p ON p.id = x.person_id
            WHERE x.order_id = o.id ORDER BY x.start, x.id),
        'cost', COALESCE((SELECT sum(c.amount) FROM workorders_cost c WHERE c.order_id = o.id), 0),
        'was_failure', o.was_failure,
        'failure', CASE WHEN f.id IS NOT NULL
            THEN json_build_object('id', f.id, 'occurred', f.occurred, 'restored', f.restored) END,
        'downtime', CASE WHEN d.id IS NOT NULL
            THEN json_build_object('id', d.id, 'start', d.start, 'end', d."end") END,
        'follow_up_of', CASE WHEN u.id IS NOT NULL
            THEN json_build_object('id', u.id, 'number', u.number, 'name', u.summary) END,
        'hold_reason', o.hold_reason, 'state_note', o.state_note,
        'reported_by', CASE WHEN r.id IS NOT NULL THEN {PERSON.format("r")} END,
        'reported_at', o.reported_at, 'created', o.created, 'state_since', o.state_since, 'started_at', o.started_at,
        'completed_at', o.completed_at, 'closed_at', o.closed_at, 'source', o.source, 'external_id', o.external_id,
        'version', o.version) AS row
    FROM workorders_workorder o
    JOIN core_site s ON s.id = o.site_id
    JOIN assets_asset a ON a.id = o.asset_id
    LEFT JOIN workorders_jobplan j ON j.id = o.job_plan_id
    LEFT JOIN people_user w ON w.id = o.owner_id
    LEFT JOIN people_user r ON r.id = o.reported_by_id
    LEFT JOIN assets_failure f ON f.id = o.failure_id
    LEFT JOIN assets_downtime d ON d.id = o.downtime_id
    LEFT JOIN workorders_workorder u ON u.id = o.follow_up_of_id
    ORDER BY o.id DESC LIMIT 50) page
"""


def bare(request):
    """What a view could do at best: one statement, passed through."""
    with connection.cursor() as cursor:
        cursor.execute(BARE)
        return HttpResponse(cursor.fetchone()[0], content_type="application/json")


urlpatterns = [path("plain/", PlainList.as_view()), path("bare/", bare)]
