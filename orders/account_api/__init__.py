"""Positions, configuration, activities and history of the account, in the Alpaca Trading API v2
dialect; here because they ask the engine or read what orders did.
"""
