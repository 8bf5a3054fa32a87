"""What a domain verb raises when it will not do what was asked.

Pages show the message at the field, the REST API answers problem+json with `code`; in both cases
nothing was changed.
"""


class DomainError(Exception):
    """A request that the rules do not allow.

    `code` is for machines and stays stable, `message` is for people and says what to do,
    `field` names the input it is about, if there is one.
    """

    def __init__(self, message: str, *, code: str, field: str | None = None):
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field


class Refused(DomainError):
    """The input or the state of things does not allow it (422 in the API)."""


class Conflict(DomainError):
    """Somebody else was faster, or the row is no longer what the caller saw (409 in the API)."""


class NotAllowed(DomainError):
    """The actor's roles at this site do not include this verb (403)."""

    def __init__(self, message: str, *, code: str = "not_allowed", field: str | None = None):
        super().__init__(message, code=code, field=field)
