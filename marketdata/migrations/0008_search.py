"""Indexes for marketdata/selectors/search.py: symbols by their beginning, names by their words.

Written as SQL: Django's own operator classes would need another app installed. No extension needed.
"""

from django.db import migrations

FORWARDS = """
CREATE INDEX instrument_symbol_begins ON marketdata_instrument
    (upper(symbol) varchar_pattern_ops);
CREATE INDEX instrument_joined_begins ON marketdata_instrument
    (upper(replace(symbol, '/', '')) text_pattern_ops);
CREATE INDEX instrument_name_words ON marketdata_instrument
    USING gin (to_tsvector('simple', name));
"""
BACKWARDS = """
DROP INDEX instrument_name_words;
DROP INDEX instrument_joined_begins;
DROP INDEX instrument_symbol_begins;
"""


class Migration(migrations.Migration):
    dependencies = [("marketdata", "0007_market_data")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
