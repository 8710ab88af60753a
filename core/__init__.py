"""Shared kernel: values, clock, ids, events, outbox, audit, API errors. Imported by every app."""
