"""What the engine counts of a batch: each refusal once, under its reason."""

from prometheus_client import REGISTRY

from orders.domain.replies import DeniedReply, DoneReply
from orders.engine.changes import Changes
from orders.engine.metrics import observe_batch


def denied_for(reason: str) -> float:
    return REGISTRY.get_sample_value("portal_orders_denied_total", {"reason": reason}) or 0


def test_a_refusal_is_counted_under_its_reason_alone() -> None:
    funds, halted = denied_for("FUNDS_INSUFFICIENT"), denied_for("INSTRUMENT_HALTED")
    refusal = DeniedReply("FUNDS_INSUFFICIENT", "insufficient balance", {})

    observe_batch([refusal, DoneReply(), refusal], 1_000_000, Changes(), 0)

    assert denied_for("FUNDS_INSUFFICIENT") == funds + 2
    assert denied_for("INSTRUMENT_HALTED") == halted
