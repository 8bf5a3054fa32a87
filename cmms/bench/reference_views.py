"""The two lists that the work-order API is compared with: a bare json_agg view and plain Django REST framework."""

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


def bare(request):
    return HttpResponse("{}")


urlpatterns = [path("plain/", PlainList.as_view()), path("bare/", bare)]
