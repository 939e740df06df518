"""What a call cost: one piece of SQL, for the drain and for repricing alike.

The price is the one that was in force when the call was admitted: a new price never rewrites
history. Costs are exact to twelve places. What cannot be costed is null, and with it its price.
"""

from typing import Final

# At most one row: two prices of a candidate are never in force at once, a constraint sees to it.
# A candidate's price is its provider's: for what a developer's own machine made, nobody has one.
PRICE_IN_FORCE: Final = """
    LEFT JOIN catalog_price AS price
           ON price.candidate_id = call.candidate_id
          AND call.source <> 'ide'
          AND price.valid_from <= call.admitted_at
          AND (price.valid_to IS NULL OR call.admitted_at < price.valid_to)
"""

# Without a price the sum is null of itself, and so it is without tokens: uncosted.
# Without tokens, a call that the provider failed, or that ended before it was sent, has cost
# nothing: of all others that somebody might send a bill for, the gateway estimates the tokens.
# Embeddings and reranking make no tokens, so their providers tell none.
# Multiplied by a millionth, not divided by a million: a product is exact.
COST_USD: Final = """
    CASE
        WHEN call.outcome IN (
            'upstream_error', 'upstream_timeout', 'stream_broken', 'client_cancelled'
        )
         AND call.prompt_tokens IS NULL
         AND call.completion_tokens IS NULL
        THEN 0 * price.input_usd_per_mtok
        ELSE round(0.000001 * (
              (call.prompt_tokens - coalesce(call.cached_tokens, 0)) * price.input_usd_per_mtok
            + coalesce(call.cached_tokens, 0) * price.cached_usd_per_mtok
            + CASE
                WHEN call.endpoint IN ('embeddings', 'rerank')
                THEN coalesce(call.completion_tokens, 0)
                ELSE call.completion_tokens
              END * price.output_usd_per_mtok
        ), 12)
    END
"""

# The two derived columns of a call, of any table that has the columns of one and is named `call`.
COSTED: Final = f"""
    {PRICE_IN_FORCE}
    CROSS JOIN LATERAL (SELECT {COST_USD} AS cost_usd) AS cost
    CROSS JOIN LATERAL (
        SELECT cost.cost_usd, CASE WHEN cost.cost_usd IS NOT NULL THEN price.id END AS price_id
    ) AS costed
"""
