"""Admin actions that ask first: a page names what will be done to what, and wants a reason.

An action calls one service per object, which writes the audit entry. The form carries an id, so
that a form that is sent twice acts once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminTextareaWidget

from core.domain.clock import SystemClock
from core.domain.errors import ErrorReason, Refusal
from core.domain.origin import Origin
from core.request_context import origin_of
from core.services import idempotency

MAX_OBJECTS = 100
"""More at once than anyone has looked at is refused."""


class ReasonForm(forms.Form):
    """What every action asks; an action that needs more adds its fields."""

    act_id = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.CharField(
        min_length=5,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Goes into the audit trail and cannot be changed later.",
    )


Act = Callable[[HttpRequest, Any, dict[str, Any], Origin], str]
"""Does it to one object and says in a sentence what was done. Any: the admin's model, form values.
"""


@dataclass(frozen=True, slots=True)
class ConfirmedAction:
    """An action as its page shows it: the question, the button, the form and the deed."""

    name: str
    question: str
    button: str
    act: Act
    form_class: type[ReasonForm] = ReasonForm
    name_of: Callable[[Any], str] = str
    """How a target is named, so that nobody confirms the wrong one."""

    def run(
        self, model_admin: "ModelAdmin[Any]", request: HttpRequest, chosen: QuerySet[Any]
    ) -> HttpResponse | None:
        """The page that asks, or, once it is confirmed, the deed; None goes back to the list."""
        if chosen.count() > MAX_OBJECTS:
            messages.error(request, f"Choose at most {MAX_OBJECTS} at a time.")
            return None
        if "confirmed" not in request.POST:
            form = self.form_class(initial={"act_id": uuid4()})
            return self._page(model_admin, request, chosen, form)
        form = self.form_class(request.POST)
        if not form.is_valid():
            return self._page(model_admin, request, chosen, form)
        for target in chosen.order_by("pk"):
            self._act_once(request, target, form.cleaned_data)
        return None

    def _act_once(self, request: HttpRequest, target: Model, values: dict[str, Any]) -> None:
        """A form that arrives twice shows what the first one did."""
        now = SystemClock().now()
        user_id = request.user.pk
        assert user_id is not None  # the admin site lets nobody else in
        shown = {key: str(value) for key, value in values.items()}
        try:
            claim = idempotency.begin(
                user_id=user_id,
                key=f"console {values['act_id']} {target.pk}",
                request_hash=idempotency.request_hash(
                    method=self.name, path=request.path, body=repr(sorted(shown.items())).encode()
                ),
                now=now,
            )
        except Refusal as refusal:
            messages.error(request, f"{self.name_of(target)}: {refusal.message}")
            return
        if isinstance(claim, idempotency.StoredAnswer):
            messages.warning(
                request, f"{self.name_of(target)}: this form was sent before. It said: {claim.body}"
            )
            return
        self._act(request, target, values, claim)

    def _act(
        self, request: HttpRequest, target: Model, values: dict[str, Any], claim: idempotency.Claim
    ) -> None:
        origin = origin_of(request, SystemClock().now())
        try:
            sentence = self.act(request, target, values, origin)
        except Refusal as refusal:
            if refusal.reason is ErrorReason.UNKNOWN_OUTCOME:
                idempotency.finish(claim, status=refusal.status, body=refusal.message)
            else:
                idempotency.abandon(claim)
            messages.error(request, f"{self.name_of(target)}: {refusal.message}")
        except ValidationError as error:
            idempotency.abandon(claim)
            messages.error(request, f"{self.name_of(target)}: {' '.join(error.messages)}")
        else:
            idempotency.finish(claim, status=200, body=sentence)
            messages.success(request, f"{self.name_of(target)}: {sentence}")

    def _page(
        self,
        model_admin: "ModelAdmin[Any]",
        request: HttpRequest,
        chosen: QuerySet[Any],
        form: ReasonForm,
    ) -> HttpResponse:
        return TemplateResponse(
            request,
            "core/confirm_action.html",
            {
                **model_admin.admin_site.each_context(request),
                "title": self.button,
                "opts": model_admin.model._meta,
                "action": self,
                "form": form,
                "chosen": [(target.pk, self.name_of(target)) for target in chosen],
                "checkbox_name": ACTION_CHECKBOX_NAME,
            },
        )
