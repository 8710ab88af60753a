"""The order's life: matching, the single-writer engine, services, API and trading pages."""
