"""/api/v1/orders/batch: several orders in one request, placed or canceled in one commit.

The shape of all is read before anything happens; then each is judged on its own (docs/requests.md
L1 to L4).
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api import spend_batch
from core.api import read_json_object, refusal_body
from core.domain.errors import Refusal
from core.once import HEADER, once, read_body
from core.request_context import current_request_id
from core.services.idempotency import Claim
from orders.api import why_not_open
from orders.domain.batch_request import read_cancel_batch, read_order_batch
from orders.domain.dialect import dialect_order
from orders.schemas import (
    CanceledBatchEntrySerializer,
    OrderRequestSerializer,
    PlacedBatchEntrySerializer,
)
from orders.services.batches import BatchOutcome, cancel_batch, submit_batch
from portfolio.api import TradingView, answer
from portfolio.models import TradingAccount
from risk.domain.reasons import DenialReason


class OrderBatchSerializer(serializers.Serializer[object]):
    orders = OrderRequestSerializer(many=True)


class CancelBatchSerializer(serializers.Serializer[object]):
    ids = serializers.ListField(child=serializers.UUIDField())


class OrderBatchView(TradingView):
    """/api/v1/orders/batch"""

    @extend_schema(
        parameters=[HEADER],
        request=OrderBatchSerializer,
        responses={207: PlacedBatchEntrySerializer(many=True)},
        operation_id="submit_order_batch",
    )
    def post(self, request: Request) -> HttpResponse:
        """Place up to 50 orders in one commit. 207 with a status and an order or error for each."""
        body = read_body(request)
        specs = read_order_batch(read_json_object(body))
        spend_batch(request, len(specs))
        account = self.account(request)

        def submit(claim: Claim | None) -> HttpResponse:
            outcomes = submit_batch(
                account=account,
                specs=specs,
                submitted_by=self.user(request),
                request_id=current_request_id(),
                claim=claim,
                key_id=self.key_id(request),
            )
            return answer(placed_entries(outcomes), status=207)

        return once(request, body, str(account.public_id), submit)

    @extend_schema(
        parameters=[HEADER],
        request=CancelBatchSerializer,
        responses={207: CanceledBatchEntrySerializer(many=True)},
        operation_id="cancel_order_batch",
    )
    def delete(self, request: Request) -> HttpResponse:
        """Cancel up to 50 orders in one commit: the body is `{"ids": [...]}`. 207 with a status for
        each.
        """
        body = read_body(request)
        ids = read_cancel_batch(read_json_object(body))
        spend_batch(request, len(ids))
        account = self.account(request)

        def cancel(claim: Claim | None) -> HttpResponse:
            outcomes = cancel_batch(account=account, order_ids=ids, request_id=current_request_id())
            return answer(canceled_entries(account, ids, outcomes), status=207)

        return once(request, body, str(account.public_id), cancel)


def placed_entries(outcomes: Sequence[BatchOutcome]) -> list[Mapping[str, object]]:
    """What became of each order: its status as a single request would have had it."""
    return [
        _refused(outcome)
        if isinstance(outcome, Refusal)
        else {"status": 200, "order": dialect_order(outcome)}
        for outcome in outcomes
    ]


def canceled_entries(
    account: TradingAccount, ids: Sequence[UUID], outcomes: Sequence[BatchOutcome]
) -> list[Mapping[str, object]]:
    """As placed_entries, each with the id that was asked for; reads the database."""
    entries: list[Mapping[str, object]] = []
    for order_id, outcome in zip(ids, outcomes, strict=True):
        if not isinstance(outcome, Refusal):
            entries.append({"id": order_id, "status": 200, "order": dialect_order(outcome)})
            continue
        if outcome.reason is DenialReason.ORDER_NOT_OPEN:
            outcome = why_not_open(account, order_id, outcome)
        entries.append({"id": order_id, **_refused(outcome)})
    return entries


def _refused(refusal: Refusal) -> Mapping[str, object]:
    return {"status": refusal.status, "error": refusal_body(refusal)}
