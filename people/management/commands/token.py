"""manage.py token USERNAME: make a token of the REST API and print its secret, once."""

from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError

from core.errors import DomainError
from people import tokens
from people.models import Token, User


class Command(BaseCommand):
    help = "Make a bearer token for a user and print it; it is shown this once."

    def add_arguments(self, parser):
        parser.add_argument("username")
        parser.add_argument("--scope", choices=Token.Scope.values, default=Token.Scope.READ)
        parser.add_argument("--days", type=int, default=Token.LIFETIME.days, help="days until it expires")
        parser.add_argument("--name", default="", help="what it is for")

    def handle(self, *, username: str, scope: str, days: int, name: str, **options):
        try:
            user = User.objects.get(username=username)
            _token, secret = tokens.issue(user, by=None, scope=scope, name=name, lifetime=timedelta(days=days))
        except User.DoesNotExist:
            raise CommandError(f"There is no user {username!r}.") from None
        except (DomainError, OverflowError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(secret)
