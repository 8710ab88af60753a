"""Alice's account shared by Bob, events as the engine writes them, and a real mail server."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.test import override_settings

from accounts.models import User
from core.models import Event
from marketdata.models import Currency
from portfolio.models import TradingAccount


@pytest.fixture
def account(
    transactional_db: None, alice: User, bob: User, charlie: User, now: datetime
) -> TradingAccount:
    dollar = Currency.objects.create(code="USD", name="US dollar")
    shared = TradingAccount.objects.create(
        name="Demo", currency=dollar, owner=alice, created_at=now
    )
    shared.members.add(bob)
    TradingAccount.objects.create(name="Other", currency=dollar, owner=charlie, created_at=now)
    return shared


def order_view(**changes: object) -> dict[str, object]:
    return {
        "id": str(uuid4()),
        "client_order_id": "c-1",
        "symbol": "AAPL",
        "asset_class": "us_equity",
        "side": "BUY",
        "type": "MARKET",
        "time_in_force": "DAY",
        "quantity": "10",
        "limit_price": None,
        "filled_quantity": "10",
        "leaves_quantity": "0",
        "average_price": "432.1",
        "status": "FILLED",
        "reason": None,
    } | changes


@pytest.fixture
def add_event(account: TradingAccount, now: datetime) -> Callable[..., Event]:
    """Appends an event of the account as the engine does, in a transaction of its own."""
    sequence = iter(range(1, 1_000_000))

    def add(kind: str, order: dict[str, object] | None = None, **payload: Any) -> Event:
        number = next(sequence)
        body = {
            "event": kind,
            "version": 1,
            "account_id": str(account.public_id),
            "account_sequence": number,
            "occurred_at": "2026-03-02T15:30:00.000000Z",
            "request_id": "request-7",
            "order": order,
            "execution": None,
            "position": None,
            "balance": {"currency": "USD", "total": "95679", "locked": "0", "free": "95679"},
        }
        return Event.objects.create(
            kind=kind,
            account_id=account.pk,
            account_sequence=number,
            payload=body | payload,
            occurred_at=now,
        )

    return add


@dataclass
class MailServer:
    """A real SMTP server that keeps what it takes and answers RCPT as it is told."""

    received: list[Envelope] = field(default_factory=list)
    answer: str = "250 OK"
    on_data: Callable[[], str] = lambda: "250 taken"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.received.append(envelope)
        return self.on_data()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    handler = MailServer()
    with socket.create_server(("127.0.0.1", 0)) as free:  # aiosmtpd cannot choose a port itself
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    backend = "django.core.mail.backends.smtp.EmailBackend"
    with override_settings(EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port):
        yield handler
    controller.stop()
