"""Prefix-cache hits of a log that names the blocks of its prompts but not the hits."""

import ibis
import ibis.expr.types as ir

BLOCK_TOKENS = 512
"""Tokens of a block in the Mooncake traces (their README)."""


def with_prefix_hits(rows: ir.Table) -> ir.Table:
    """Rows with the cached tokens that an endless prefix cache would have found.

    rows: fault, at_us, input_tokens, cached_tokens, hash_ids. A block is a hit when an earlier
    sound request held it; since each id is chained from the start of its prompt, hits always
    form a prefix. The last block of a prompt may be partly filled, so hits are capped at its
    length; a request that names no blocks stays unknown.
    Source: Qin et al., Mooncake (FAST 2025), trace description.
    """
    ranked = rows.mutate(rank=ibis.row_number().over(order_by=[rows.at_us, rows.row]))
    sound = ranked.filter(ranked.fault.isnull())
    blocks = sound.select("rank", block=sound.hash_ids.unnest())
    first_seen = blocks.group_by("block").aggregate(first=blocks["rank"].min())
    seen = blocks.join(first_seen, "block").filter(lambda t: t["rank"] > t["first"])
    hits = seen.group_by("rank").aggregate(n_hits=seen.count())
    joined = ranked.left_join(hits, "rank")
    cached = (joined.n_hits.fill_null(0) * BLOCK_TOKENS).cast("int64")
    kept = {name: joined[name] for name in rows.columns if name != "cached_tokens"}
    found = ibis.least(cached, joined.input_tokens)
    known = ibis.ifelse(joined.hash_ids.isnull(), ibis.null("int64"), found)
    return joined.select(**kept, cached_tokens=known)
