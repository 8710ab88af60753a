"""`manage.py replay`: does the journal again and proves that it gives what is stored."""

from orders.replay.proving import Outcome, Request, replay_in_snapshot, replay_stored

__all__ = ["Outcome", "Request", "replay_in_snapshot", "replay_stored"]
