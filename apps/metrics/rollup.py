"""All aggregating SQL: calls to quarter-hours, quarter-hours to days.

Each statement fills whole slices that were emptied before. Calls count by where they came from:
those through our endpoint and those of comparisons. Probes never count, and what developers' own
clients and other gateways told is kept, but stands in none of these sums.

Shares of money are differences of rounded running sums: each is within 1e-12 of its exact value,
none is negative, and together they are the whole to the last digit.
"""

from typing import Final

from apps.metrics.histogram import BUCKET_SQL
from apps.metrics.models import FIRST_CONTENT, TOTAL

COUNTED_SOURCES: Final = ("gateway", "compare")
COUNTED: Final = f"call.source IN {COUNTED_SOURCES}"

# OFFSET keeps the planner from turning this round: one look into the index on the calls' time for
# each quarter-hour is right however far these lie apart, and whatever statistics there are yet.
_CALLS: Final = """
    FROM unnest(%(quarters)s::timestamptz[]) AS slice (quarter)
    CROSS JOIN LATERAL (
        SELECT *
        FROM usage_call
        WHERE admitted_at >= slice.quarter
          AND admitted_at < slice.quarter + interval '15 minutes'
        OFFSET 0
    ) AS call
"""

# least() passes over nulls: an interval that is still open runs to the quarter-hour's end.
# What has not begun has cost nothing yet.
_HOSTING: Final = """
    hosting AS (
        SELECT
            slice.quarter,
            span.candidate_id,
            round(
                sum(
                    span.usd_per_hour * span.count * extract(
                        epoch FROM least(span.ended_at, slice.quarter + interval '15 minutes')
                                 - greatest(span.started_at, slice.quarter)
                    )
                ) / 3600,
                12
            ) AS cost_usd
        FROM unnest(%(quarters)s::timestamptz[]) AS slice (quarter)
        JOIN catalog_hostinginterval AS span
          ON span.started_at < slice.quarter + interval '15 minutes'
         AND (span.ended_at IS NULL OR slice.quarter < span.ended_at)
        WHERE slice.quarter <= %(now)s
        GROUP BY slice.quarter, span.candidate_id
    )
"""

LOCK_DAYS: Final = """
    SELECT pg_advisory_xact_lock(%(space)s, number)
    FROM unnest(%(numbers)s::integer[]) AS number
"""

QUARTER_PILOTS: Final = """
    SELECT pilot_id
    FROM metrics_quarterusage
    WHERE quarter = ANY(%(quarters)s::timestamptz[])
    UNION
    SELECT pilot_id
    FROM metrics_quarterhosting
    WHERE quarter = ANY(%(quarters)s::timestamptz[]) AND pilot_id IS NOT NULL
"""

EMPTY_QUARTERS: Final = tuple(
    f"DELETE FROM {table} WHERE quarter = ANY(%(quarters)s::timestamptz[])"
    for table in ("metrics_quarterusage", "metrics_quarterlatency", "metrics_quarterhosting")
)

# A rating is its caller's own, and one person rates a call once: so a call meets one at most.
# Of a candidate's hosting intervals one at most covers a moment: so a call meets one at most.
FILL_QUARTER_USAGE: Final = f"""
    INSERT INTO metrics_quarterusage (
        quarter, pilot_id, candidate_id, person_id, task,
        calls, ok, cancelled, failed, uncosted, uncosted_tokens, uncosted_rateable, estimated,
        prompt_tokens, cached_tokens, completion_tokens, token_usd, total_ms,
        generation_ms, generation_tokens, rateable, rated, liked, stars, stars_sum, hosting_usd
    )
    WITH {_HOSTING},
    spent AS (
        SELECT
            slice.quarter,
            call.pilot_id,
            call.candidate_id,
            call.person_id,
            call.task,
            count(*) AS calls,
            count(*) FILTER (WHERE call.outcome = 'ok') AS ok,
            count(*) FILTER (WHERE call.outcome = 'client_cancelled') AS cancelled,
            count(*) FILTER (WHERE call.outcome NOT IN ('ok', 'client_cancelled')) AS failed,
            count(*) FILTER (WHERE priced.missing) AS uncosted,
            coalesce(
                sum(coalesce(call.prompt_tokens, 0) + coalesce(call.completion_tokens, 0))
                    FILTER (WHERE priced.missing),
                0
            ) AS uncosted_tokens,
            count(*) FILTER (WHERE priced.missing AND call.rateable) AS uncosted_rateable,
            count(*) FILTER (WHERE call.usage_source = 'estimated') AS estimated,
            coalesce(sum(call.prompt_tokens), 0) AS prompt_tokens,
            coalesce(sum(call.cached_tokens), 0) AS cached_tokens,
            coalesce(sum(call.completion_tokens), 0) AS completion_tokens,
            coalesce(sum(call.cost_usd), 0) AS token_usd,
            coalesce(sum(greatest(call.total_ms, 0)), 0) AS total_ms,
            coalesce(sum(call.total_ms - call.first_content_ms) FILTER (WHERE timed.speed), 0)
                AS generation_ms,
            coalesce(sum(call.completion_tokens) FILTER (WHERE timed.speed), 0)
                AS generation_tokens,
            count(*) FILTER (WHERE call.rateable) AS rateable,
            count(rating.id) AS rated,
            count(*) FILTER (
                WHERE rating.scale = 'thumbs' AND rating.score = 1
                   OR rating.scale = 'stars' AND rating.score >= 4
            ) AS liked,
            count(*) FILTER (WHERE rating.scale = 'stars') AS stars,
            coalesce(sum(rating.score) FILTER (WHERE rating.scale = 'stars'), 0) AS stars_sum
        {_CALLS}
        CROSS JOIN LATERAL (
            SELECT call.outcome = 'ok' AND call.streamed AND call.completion_tokens IS NOT NULL
               AND call.total_ms > call.first_content_ms AS speed
        ) AS timed
        LEFT JOIN feedback_rating AS rating
               ON rating.call_id = call.id
              AND rating.person_id = call.person_id
              AND rating.withdrawn_at IS NULL
        LEFT JOIN catalog_hostinginterval AS hosted
               ON hosted.candidate_id = call.candidate_id
              AND hosted.started_at <= call.admitted_at
              AND (hosted.ended_at IS NULL OR call.admitted_at < hosted.ended_at)
        CROSS JOIN LATERAL (
            SELECT call.cost_usd IS NULL AND hosted.id IS NULL AS missing
        ) AS priced
        WHERE {COUNTED}
        GROUP BY slice.quarter, call.pilot_id, call.candidate_id, call.person_id, call.task
    ),
    weighed AS (
        SELECT
            spent.*,
            -- By duration; equally, call by call, where nothing took any time.
            CASE WHEN sum(total_ms) OVER candidate > 0 THEN total_ms ELSE calls END AS weight
        FROM spent
        WINDOW candidate AS (PARTITION BY quarter, candidate_id)
    ),
    lined_up AS (
        SELECT
            weighed.*,
            sum(weight) OVER (candidate ORDER BY pilot_id, person_id, task) AS reached,
            sum(weight) OVER candidate AS whole
        FROM weighed
        WINDOW candidate AS (PARTITION BY quarter, candidate_id)
    )
    SELECT
        usage.quarter, usage.pilot_id, usage.candidate_id, usage.person_id, usage.task,
        usage.calls, usage.ok, usage.cancelled, usage.failed, usage.uncosted,
        usage.uncosted_tokens, usage.uncosted_rateable, usage.estimated,
        usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, usage.token_usd,
        usage.total_ms, usage.generation_ms, usage.generation_tokens,
        usage.rateable, usage.rated, usage.liked, usage.stars, usage.stars_sum,
        coalesce(
            round(hosting.cost_usd * usage.reached / usage.whole, 12)
          - round(hosting.cost_usd * (usage.reached - usage.weight) / usage.whole, 12),
            0
        )
    FROM lined_up AS usage
    LEFT JOIN hosting USING (quarter, candidate_id)
"""

FILL_QUARTER_LATENCY: Final = f"""
    INSERT INTO metrics_quarterlatency
        (quarter, pilot_id, candidate_id, task, measure, bucket, calls)
    SELECT
        slice.quarter,
        call.pilot_id,
        call.candidate_id,
        call.task,
        timed.measure,
        {BUCKET_SQL.format(column="timed.ms")},
        count(*)
    {_CALLS}
    CROSS JOIN LATERAL (
        VALUES
            ({FIRST_CONTENT}, CASE WHEN call.streamed THEN call.first_content_ms END),
            ({TOTAL}, call.total_ms)
    ) AS timed (measure, ms)
    WHERE {COUNTED}
      AND call.outcome = 'ok'
      AND timed.ms IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6
"""

# A quarter-hour with calls is theirs; one without stood idle, for whoever had it on trial then.
FILL_QUARTER_HOSTING: Final = f"""
    INSERT INTO metrics_quarterhosting (quarter, pilot_id, candidate_id, busy_usd, idle_usd)
    WITH {_HOSTING},
    busy AS (
        SELECT usage.quarter, usage.candidate_id, usage.pilot_id, sum(usage.hosting_usd) AS usd
        FROM metrics_quarterusage AS usage
        WHERE usage.quarter = ANY(%(quarters)s::timestamptz[])
        GROUP BY usage.quarter, usage.candidate_id, usage.pilot_id
    ),
    trial AS (
        -- Dropped and added again within the quarter-hour, it is still one.
        SELECT DISTINCT hosting.quarter, hosting.candidate_id, span.pilot_id
        FROM hosting
        JOIN unnest(
                 %(trial_pilots)s::bigint[],
                 %(trial_candidates)s::bigint[],
                 %(trial_starts)s::timestamptz[],
                 %(trial_ends)s::timestamptz[]
             ) AS span (pilot_id, candidate_id, starts_at, ends_at)
          ON span.candidate_id = hosting.candidate_id
         AND span.starts_at < hosting.quarter + interval '15 minutes'
         AND hosting.quarter < span.ends_at
    ),
    idle AS (
        SELECT
            hosting.quarter,
            hosting.candidate_id,
            hosting.cost_usd,
            trial.pilot_id,
            row_number() OVER (candidate ORDER BY trial.pilot_id) AS place,
            count(*) OVER candidate AS places
        FROM hosting
        LEFT JOIN trial USING (quarter, candidate_id)
        WHERE NOT EXISTS (
            SELECT
            FROM busy
            WHERE busy.quarter = hosting.quarter AND busy.candidate_id = hosting.candidate_id
        )
        WINDOW candidate AS (PARTITION BY hosting.quarter, hosting.candidate_id)
    )
    SELECT busy.quarter, busy.pilot_id, busy.candidate_id, busy.usd, 0
    FROM busy
    JOIN hosting USING (quarter, candidate_id)
    UNION ALL
    SELECT
        quarter,
        pilot_id,
        candidate_id,
        0,
        round(cost_usd * place / places, 12) - round(cost_usd * (place - 1) / places, 12)
    FROM idle
"""

FILL_QUARTERS: Final = (FILL_QUARTER_USAGE, FILL_QUARTER_LATENCY, FILL_QUARTER_HOSTING)


def _day(kind: str, keys: str, sums: str) -> str:
    """The sums of a day's quarter-hours. The days' bounds are given: they are those of a zone."""
    summed = ", ".join(f"sum(slice.{name.strip()})" for name in sums.split(","))
    kept = ", ".join(f"slice.{name.strip()}" for name in keys.split(","))
    return f"""
        INSERT INTO metrics_day{kind} (day, {keys}, {sums})
        SELECT day.day, {kept}, {summed}
        FROM unnest(%(days)s::date[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
             AS day (day, starts_at, ends_at)
        JOIN metrics_quarter{kind} AS slice
          ON slice.quarter >= day.starts_at
         AND slice.quarter < day.ends_at
        GROUP BY day.day, {kept}
    """


EMPTY_DAYS: Final = tuple(
    f"DELETE FROM {table} WHERE day = ANY(%(days)s::date[])"
    for table in ("metrics_dayusage", "metrics_daylatency", "metrics_dayhosting")
)

FILL_DAYS: Final = (
    _day(
        "usage",
        "pilot_id, candidate_id, person_id, task",
        "calls, ok, cancelled, failed, uncosted, uncosted_tokens, uncosted_rateable, estimated, "
        "prompt_tokens, cached_tokens, completion_tokens, token_usd, hosting_usd, total_ms, "
        "generation_ms, generation_tokens, rateable, rated, liked, stars, stars_sum",
    ),
    _day("latency", "pilot_id, candidate_id, task, measure, bucket", "calls"),
    _day("hosting", "pilot_id, candidate_id", "busy_usd, idle_usd"),
)

RAISE_GENERATION: Final = """
    INSERT INTO metrics_generation AS generation (pilot_id, number, rebuilt_at)
    SELECT pilot_id, 1, %(now)s
    FROM unnest(%(pilots)s::bigint[]) AS pilot_id
    ON CONFLICT (pilot_id) DO UPDATE
    SET number = generation.number + 1, rebuilt_at = excluded.rebuilt_at
"""
