"""The operators' console as a browser uses it: its addresses, and an action with its reason."""

import re
from typing import Any

from django.db.models import Model
from django.http import HttpResponse
from django.test import Client

REASON = "asked for by telephone, identity checked"


def address(model: type[Model], page: str = "changelist") -> str:
    pages = {"changelist": "", "add": "add/", "change": "1/change/", "delete": "1/delete/"}
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{pages[page]}"


def run(
    client: Client, model: type[Model], action: str, target: Model, **fields: Any
) -> HttpResponse:
    """Choose one row, confirm with a reason, and give the page that follows."""
    form = {"action": action, "_selected_action": str(target.pk), "index": "0"}
    asked = client.post(address(model), form)
    if asked.status_code != 200 or "core/confirm_action.html" not in [
        template.name for template in asked.templates
    ]:
        return asked  # type: ignore[return-value]
    act_id = re.search(r'name="act_id" value="([0-9a-f-]{36})"', asked.content.decode())
    assert act_id is not None
    filled = {**form, "confirmed": "yes", "act_id": act_id[1], "reason": REASON, **fields}
    return client.post(address(model), filled, follow=True)  # type: ignore[return-value]


def shown(response: HttpResponse) -> list[str]:
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]
