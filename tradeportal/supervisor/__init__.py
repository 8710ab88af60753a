"""The supervisor: starts, watches and stops every process of one portal.

`portal` (the front door) prepares the virtual environment and then runs this package inside it.
Nothing here imports Django: it must come up, and say what is wrong, when the site cannot.
"""
