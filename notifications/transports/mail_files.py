"""Django's mail backend of a portal without a mail server: each mail a file that mail programs
open.

Django's own file backend names files by second and memory address, which two workers share: mails
then end up in one file. Here a mail's Message-ID names its file, so a mail sent twice is still one
file.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
MAX_NAME_LENGTH = 100


class MailFileBackend(BaseEmailBackend):
    """Writes to settings.EMAIL_FILE_PATH; named in settings (EMAIL_BACKEND)."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        directory = Path(settings.EMAIL_FILE_PATH)
        directory.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            mime = message.message()
            file = directory / f"{_name(mime['Message-ID'])}.eml"
            unfinished = directory / f".{uuid4().hex}"
            unfinished.write_bytes(mime.as_bytes())
            unfinished.rename(file)  # whoever looks at the directory sees whole mails only
        return len(email_messages)


def _name(message_id: str | None) -> str:
    local = (message_id or "").strip("<>").rpartition("@")[0]
    return _UNSAFE.sub("-", local)[:MAX_NAME_LENGTH].lstrip(".") or uuid4().hex
