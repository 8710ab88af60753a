"""Ends a task that was cancelled, though what it awaited has told it something else.

Redis' client may answer a cancellation with a timeout error of its own. A loop that outlives Redis
takes that for one, goes on, and the gateway that waits for it never ends.
"""

import asyncio


def end_if_cancelled() -> None:
    """For whoever has caught an error of Redis and means to go on."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
