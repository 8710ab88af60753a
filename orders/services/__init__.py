"""What pages, API, admin and commands ask for: each call is one command to the engine.

Nothing here decides about money; the engine does and has committed before these return. A refusal
by rule is raised as core.domain.errors.Refusal with the engine's reason, facts and sentence.
"""
