"""Shared kernel: value types, clock, ids, events, outbox, audit, API errors. Imported by every app."""
