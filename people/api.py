"""Sites, users and tokens in the REST API."""

import json
from datetime import timedelta

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from core.api.resource import Adds, Changes, Removes, Resource
from core.models import Site
from people import schema, sites, staff, tokens  # noqa: F401 (schema registers itself)
from people.filters import TokenFilter, UserFilter
from people.models import Token, User
from people.serializers import IssuedToken, NewToken, SiteSerializer, TokenSerializer, UserSerializer


class Sites(Adds, Changes, Resource):
    """The sites where the caller has a role."""

    model = Site
    serializer_class = SiteSerializer
    orderings = ("code", "name")
    default_ordering = "code"

    def add(self, data):
        return sites.open_site(by=self.request.user, **data)

    def change(self, site, data):
        sites.change_site(site, by=self.request.user, **data)


class Users(Adds, Changes, Resource):
    """The people who have a role at one of the caller's sites."""

    model = User
    serializer_class = UserSerializer
    filterset_class = UserFilter
    orderings = {"code": "username", "last_name": "last_name"}
    default_ordering = "code"

    def add(self, data):
        roles = [(each["site"], each["role"]) for each in data.pop("memberships")]
        return staff.add_person(by=self.request.user, roles=roles, **data)

    def change(self, user, data):
        roles = data.pop("memberships", None)
        password = data.pop("password", "")
        staff.change_person(user, data, by=self.request.user, password=password)
        if roles is not None:
            wanted = [(each["site"], each["role"]) for each in roles]
            staff.set_roles(user, wanted, by=self.request.user)

    @action(detail=False, filterset_class=None)
    def me(self, request):
        """The caller."""
        return self.answer(request.user)


class Tokens(Removes, Resource):
    """Bearer tokens: one's own, and those of colleagues at sites that the caller administers."""

    model = Token
    serializer_class = TokenSerializer
    filterset_class = TokenFilter
    orderings = ("created", "expires", "last_used")
    default_ordering = "-created"

    @extend_schema(request=NewToken, responses={201: IssuedToken})
    def create(self, request):
        """Make a token for oneself; its secret is in the answer, this once."""
        data = self.read(NewToken)
        token, secret = tokens.issue(
            request.user, by=request.user, name=data["name"], scope=data["scope"], lifetime=timedelta(days=data["days"])
        )
        body = {"id": token.pk, "token": secret, "scope": token.scope, "expires": token.expires}
        response = Response(body, status=201)
        response.kept = json.dumps({**body, "token": None}, default=str)
        return response

    def remove(self, token):
        tokens.revoke(token, by=self.request.user)
