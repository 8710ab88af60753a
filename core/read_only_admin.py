"""The base of admin pages that only show: nothing is added, changed or deleted by hand.

Not even by a superuser: these tables are written by services and the engine alone.
"""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

MAX_ID_DIGITS = 18


class _NeverWrites:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(_NeverWrites, ModelAdmin):  # type: ignore[misc]  # against Django's stubs
    """Actions of a page name their own permission; they call services that write audit entries.

    A search for a whole UUID or number looks in `uuid_fields` and `number_fields` by index; any
    other text in `search_fields`.
    """

    uuid_fields: tuple[str, ...] = ()
    number_fields: tuple[str, ...] = ()
    list_per_page = 50
    show_full_result_count = False  # counting a whole history for a heading is not worth it

    def get_search_fields(self, request: HttpRequest) -> list[str] | tuple[str, ...]:
        """Never empty when ids can be searched: an empty list would hide the search box."""
        return tuple(self.search_fields) or [
            f"={name}" for name in self.uuid_fields + self.number_fields
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        value = _whole_id(search_term.strip())
        fields = self.uuid_fields if isinstance(value, UUID) else self.number_fields
        if value is not None and fields:
            wanted = Q()
            for field in fields:
                wanted |= Q(**{field: value})
            return queryset.filter(wanted), False
        if search_term and not self.search_fields:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)


class ReadOnlyInline(_NeverWrites, TabularInline):  # type: ignore[misc]  # likewise
    """Rows of another table, shown with their owner."""

    extra = 0
    show_change_link = True


def _whole_id(text: str) -> UUID | int | None:
    if text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS:
        return int(text)
    try:
        return UUID(text)
    except ValueError:
        return None
