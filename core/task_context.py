"""How a request id reaches background work: the header that task messages carry it in.

Written by whoever publishes a task, read by tradeportal.task_signals when a worker begins it.
"""

REQUEST_ID_HEADER = "portal_request_id"
