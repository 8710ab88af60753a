"""Writing sides of core: the audit trail, stored answers of repeated requests, the outbox."""
