"""Fan-out under load: a publisher, a thousand sockets and a bare server, each a process of its own.

Every update carries the instant of its publication, so the sockets' process can tell its age.
"""
