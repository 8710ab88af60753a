"""The operators' page of market data: its feeds, what is missing, and what is being filled in."""

from datetime import datetime
from typing import Final

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.selectors import may_read_all_accounts
from core.api import wants_json
from core.domain.ages import age_text
from core.domain.clock import SystemClock
from marketdata.models import Hole, ImportJob
from marketdata.selectors.quality import (
    FeedRow,
    feed_rows,
    hole_count,
    newest_jobs,
    open_holes,
)

DASH: Final = "–"
STATE_WORDS: Final = {
    "CONNECTING": gettext_lazy("Connecting"),
    "LIVE": gettext_lazy("Live"),
    "SILENT": gettext_lazy("Silent"),
    "AWAY": gettext_lazy("Away"),
    "GONE": gettext_lazy("No process"),
    "OFF": gettext_lazy("Off"),
}
STATE_LEVELS: Final = {"LIVE": "", "OFF": "", "CONNECTING": "warning", "SILENT": "warning"}
JOB_WORDS: Final = {
    "QUEUED": gettext_lazy("Waits"),
    "RUNNING": gettext_lazy("Running"),
    "DONE": gettext_lazy("Done"),
    "FAILED": gettext_lazy("Failed"),
}
KIND_WORDS: Final = {
    "BARS": gettext_lazy("Bars from files"),
    "TICKS": gettext_lazy("Ticks from files"),
    "BACKFILL": gettext_lazy("From a provider"),
}


@require_GET
@login_required
def quality(request: HttpRequest) -> HttpResponse:
    """The whole page, or its rows as JSON `{"feeds", "holes", "jobs", "hole_count"}`; `feeds` is
    null while nobody can tell how they are.
    """
    if not (isinstance(request.user, User) and may_read_all_accounts(request.user)):
        raise PermissionDenied
    now = SystemClock().now()
    feeds = feed_rows(now)
    shown = {
        "feeds": None if feeds is None else [_feed(row) for row in feeds],
        "holes": [_hole(hole) for hole in open_holes()],
        "hole_count": hole_count(),
        "jobs": [_job(job, now) for job in newest_jobs()],
    }
    if wants_json(request):
        return JsonResponse(shown)
    return render(request, "marketdata/quality.html", {**shown, "page_data": shown})


def _feed(row: FeedRow) -> dict[str, object]:
    """A feed as texts, the same for the template and the script."""
    status = row.status
    return {
        "name": row.feed.name,
        "adapter": row.feed.adapter,
        "state": row.state,
        "level": STATE_LEVELS.get(row.state, "danger"),
        "word": str(STATE_WORDS.get(row.state, row.state)),
        "error": status.error if status else "",
        "age": DASH if row.age_seconds is None else age_text(row.age_seconds),
        "rate": str(status.rate) if status else DASH,
        "messages": f"{status.messages:,}" if status else DASH,
        "gaps": str(status.gaps) if status else DASH,
        "reconnects": str(status.reconnects) if status else DASH,
        "refused": str(sum(status.refused.values())) if status else DASH,
        "reasons": _reasons(status.refused) if status else "",
        "follows": f"{len(status.following)} / {row.routes}"
        if status
        else f"{DASH} / {row.routes}",
    }


def _reasons(refused: dict[str, int]) -> str:
    most = sorted(refused.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{rule} {count}" for rule, count in most if count)


def _hole(hole: Hole) -> dict[str, object]:
    return {
        "id": str(hole.pk),
        "symbol": hole.instrument.symbol,
        "timeframe": hole.timeframe,
        "start": f"{hole.start:%Y-%m-%d %H:%M}",
        "end": f"{hole.end:%Y-%m-%d %H:%M}",
        "length": age_text(int((hole.end - hole.start).total_seconds())),
    }


def _job(job: ImportJob, now: datetime) -> dict[str, object]:
    return {
        "id": str(job.pk),
        "kind": str(KIND_WORDS[job.kind]),
        "symbol": job.instrument.symbol,
        "feed": job.feed.name,
        "what": job.source,
        "state": job.state,
        "level": "danger" if job.state == ImportJob.State.FAILED else "",
        "word": str(JOB_WORDS[job.state]),
        "done": job.steps_done,
        "steps": job.steps,
        "progress": f"{job.steps_done} / {job.steps}",
        "rows": f"{job.rows_stored:,}",
        "refused": f"{job.rows_refused:,}",
        "error": job.error,
        "age": _("%(age)s ago") % {"age": age_text(int((now - job.updated_at).total_seconds()))},
    }
