"""Settings: `base` for a running portal, `test` for the test run, `env` reads the environment.

This package imports nothing, so that `test` can prepare the environment before `base` reads it.
"""
