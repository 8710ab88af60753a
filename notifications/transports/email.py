"""E-mail through Django's mail settings: SMTP when PORTAL_SMTP_URL is set, else files.

Every step of the conversation has a timeout (EMAIL_TIMEOUT). A connection that breaks after the
server took the message but before it said so leaves the delivery to be sent again: SMTP offers no
better than at least once. Both copies carry the same Message-ID, by which mail programs show one.
"""

import smtplib
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.message import BadHeaderError

from notifications.domain.outgoing import OutgoingMessage, TransportError

PERMANENT_FROM = 500
"""SMTP replies from 500 on say: do not try again (RFC 5321, 4.2.1)."""


class EmailTransport:
    """Sends one mail a connection; deliveries are few and their failures must not be shared."""

    def send(self, message: OutgoingMessage) -> None:
        domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
        mail = EmailMessage(
            subject=message.subject,
            body=message.text,
            to=[message.address],
            headers={
                "Message-ID": f"<{message.reference}@{domain}>",
                "Auto-Submitted": "auto-generated",
            },
        )
        try:
            mail.send()
        except smtplib.SMTPRecipientsRefused as error:
            code, reply = next(iter(error.recipients.values()), (0, b""))
            raise _refused(code, reply) from error
        except smtplib.SMTPDataError as error:
            raise _refused(error.smtp_code, error.smtp_error) from error
        except BadHeaderError as error:
            raise TransportError(str(error), is_permanent=True) from error
        except OSError as error:
            # Every other SMTP failure (smtplib's are OSErrors): connection, sign-in, sender,
            # timeout. Those are ours to repair, so the mail waits for it.
            raise TransportError(f"{type(error).__name__}: {error}") from error


def _refused(code: int, reply: bytes | str) -> TransportError:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return TransportError(f"{code} {text}", is_permanent=code >= PERMANENT_FROM)
