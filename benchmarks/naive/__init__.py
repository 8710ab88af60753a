"""The yardstick: the order path as it is usually written with Django's ORM and DRF.

One order is one transaction under row locks; matching is a query. It is honest, ordinary code with
the indexes it needs, a project of its own with its own database; nothing of the portal is in it.
"""
