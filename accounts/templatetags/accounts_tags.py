"""What templates ask about the viewer: the rules that guard the doors themselves, so that a page
shows no door that stays shut.
"""

from django import template

from accounts import selectors

register = template.Library()

register.filter(selectors.may_open_console)
register.filter(selectors.may_read_all_accounts)
