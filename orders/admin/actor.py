"""Who acts on the console."""

from django.http import HttpRequest

from accounts.models import User


def actor_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the admin site lets nobody else in
    return request.user
