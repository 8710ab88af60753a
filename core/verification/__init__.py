"""Proves from the rows alone that the audit trail says what was sealed."""
