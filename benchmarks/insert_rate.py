"""`python -m benchmarks.insert_rate SECONDS`: PostgreSQL's own rate of single-row commits.

One client, one prepared INSERT per transaction, the next when the last is on the disk: what a
program can commit that does not batch. The database is BENCH_DATABASE_URL.
"""

import os
import sys
import time

import msgspec
import psycopg

from benchmarks.quantiles import quantile

TABLE = """
CREATE TABLE IF NOT EXISTS plain_order (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id bigint NOT NULL,
  symbol text NOT NULL, side text NOT NULL, quantity numeric(28, 8) NOT NULL,
  limit_price numeric(28, 8) NOT NULL, submitted_at timestamptz NOT NULL DEFAULT now()
)
"""
INSERT = (
    "INSERT INTO plain_order (account_id, symbol, side, quantity, limit_price)"
    " VALUES (%s, %s, %s, %s, %s)"
)


class InsertResult(msgspec.Struct, frozen=True):
    """Committed rows a second, and how long a commit took."""

    per_second: float
    mean_ms: float
    p99_ms: float


def measure(url: str, seconds: int) -> InsertResult:
    latencies: list[float] = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
        begin = now = time.perf_counter()
        while now - begin < seconds:
            connection.execute(INSERT, (1, "AAPL", "buy", 5, "10.01"), prepare=True)
            before, now = now, time.perf_counter()
            latencies.append(now - before)
    count = len(latencies)
    return InsertResult(
        per_second=count / (now - begin),
        mean_ms=(now - begin) / count * 1000,
        p99_ms=quantile(sorted(latencies), 0.99) * 1000,
    )


if __name__ == "__main__":
    result = measure(os.environ["BENCH_DATABASE_URL"], int(sys.argv[1]))
    sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
