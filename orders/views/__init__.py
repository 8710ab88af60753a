"""The trading pages and what their buttons do.

Each view reads its form, calls one service or selector and answers with a page, or with JSON where
a script asks. `answers` says how; `terminal` is the page, `ordering` its buttons, `charts` its
bars.
"""
