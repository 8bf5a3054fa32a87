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


PERSON = """(SELECT json_build_object('id', p.id, 'code', p.username, 'name',
        COALESCE(NULLIF(trim(p.first_name || ' ' || p.last_name), ''), p.username)) FROM people_user p WHERE p.id = {0})"""
BARE = f"""
SELECT json_build_object('next', NULL, 'previous', NULL, 'results', json_agg(row))::text FROM (
    SELECT json_build_object(
        'id', o.id, 'number', o.number,
        'site', (SELECT json_build_object('id', s.id, 'code', s.code, 'name', s.name)
                 FROM core_site s WHERE s.id = o.site_id),
        'asset', (SELECT json_build_object('id', a.id, 'code', a.code, 'name', a.name)
                  FROM assets_asset a WHERE a.id = o.asset_id),
        'kind', o.kind, 'state', o.state, 'priority', o.priority, 'priority_reason', o.priority_reason,
        'consequence', o.consequence, 'likelihood', o.likelihood, 'summary', o.summary, 'due_from', o.due_from,
        'due_to', o.due_to, 'estimate', o.estimate_minutes * 60,
        'job_plan', (SELECT json_build_object('id', j.id, 'code', j.code, 'name', j.title)
                     FROM workorders_jobplan j WHERE j.id = o.job_plan_id),
        'owner', {PERSON.format("o.owner_id")},
        'assignments', ARRAY(
            SELECT json_build_object('id', x.id, 'person', {PERSON.format("x.person_id")}, 'start', x.start,
                                     'duration', x.minutes * 60)
            FROM workorders_assignment x WHERE x.order_id = o.id ORDER BY x.start, x.id),
        'cost', COALESCE((SELECT sum(c.amount) FROM workorders_cost c WHERE c.order_id = o.id), 0),
        'was_failure', o.was_failure,
        'failure', (SELECT json_build_object('id', f.id, 'occurred', f.occurred, 'restored', f.restored)
                    FROM assets_failure f WHERE f.id = o.failure_id),
        'downtime', (SELECT json_build_object('id', d.id, 'start', d.start, 'end', d."end")
                     FROM assets_downtime d WHERE d.id = o.downtime_id),
        'follow_up_of', (SELECT json_build_object('id', u.id, 'number', u.number, 'name', u.summary)
                         FROM workorders_workorder u WHERE u.id = o.follow_up_of_id),
        'hold_reason', o.hold_reason, 'state_note', o.state_note,
        'reported_by', {PERSON.format("o.reported_by_id")},
        'reported_at', o.reported_at, 'created', o.created, 'state_since', o.state_since, 'started_at', o.started_at,
        'completed_at', o.completed_at, 'closed_at', o.closed_at, 'source', o.source, 'external_id', o.external_id,
        'version', o.version) AS row
    FROM workorders_workorder o ORDER BY o.id DESC LIMIT 50) page
"""


def bare(request):
    """What a view could do at best: one statement, passed through."""
    with connection.cursor() as cursor:
        cursor.execute(BARE)
        return HttpResponse(cursor.fetchone()[0], content_type="application/json")


urlpatterns = [path("plain/", PlainList.as_view()), path("bare/", bare)]
