"""What vLLM, SGLang, TensorRT-LLM and Dynamo call what an audit needs.

Sources: the engines' own lists of production metrics (vLLM "Production Metrics", SGLang
"Production Metrics", TensorRT-LLM `tensorrt_llm/metrics/collector.py`, NVIDIA Dynamo
"Prometheus Metrics"). A name matches with or without `_total`, and with `_` for `:`.
"""

from enum import StrEnum


class Measure(StrEnum):
    """A counter, histogram or gauge of a serving engine."""

    REQUESTS = "requests"
    INPUT = "input tokens"
    OUTPUT = "output tokens"
    CACHED = "cached tokens"
    INPUT_LENGTHS = "input tokens of a request"
    OUTPUT_LENGTHS = "output tokens of a request"
    TTFT = "time to first token"
    TPOT = "time per output token"
    LATENCY = "latency"
    PREFILL = "time in prefill"
    DECODE = "time in decode"
    KV_USE = "share of the KV cache in use"


COUNTERS: dict[Measure, tuple[str, ...]] = {
    Measure.REQUESTS: (
        "vllm:request_success",
        "sglang:num_requests",
        "trtllm:request_success",
    ),
    Measure.INPUT: ("vllm:prompt_tokens", "sglang:prompt_tokens", "trtllm:prompt_tokens"),
    Measure.OUTPUT: (
        "vllm:generation_tokens",
        "sglang:generation_tokens",
        "trtllm:generation_tokens",
    ),
    Measure.CACHED: (
        "vllm:prefix_cache_hits",  # counted in tokens
        "vllm:gpu_prefix_cache_hits",
        "sglang:cached_tokens",
    ),
}

HISTOGRAMS: dict[Measure, tuple[str, ...]] = {
    Measure.INPUT_LENGTHS: (
        "vllm:request_prompt_tokens",
        "sglang:prompt_tokens_histogram",
        "dynamo_frontend:input_sequence_tokens",
    ),
    Measure.OUTPUT_LENGTHS: (
        "vllm:request_generation_tokens",
        "sglang:generation_tokens_histogram",
        "dynamo_frontend:output_sequence_tokens",
    ),
    Measure.TTFT: (
        "vllm:time_to_first_token_seconds",
        "sglang:time_to_first_token_seconds",
        "trtllm:time_to_first_token_seconds",
    ),
    Measure.TPOT: (
        "vllm:request_time_per_output_token_seconds",
        "vllm:time_per_output_token_seconds",
        "vllm:inter_token_latency_seconds",
        "sglang:inter_token_latency_seconds",
        "sglang:time_per_output_token_seconds",
        "trtllm:time_per_output_token_seconds",
    ),
    Measure.LATENCY: (
        "vllm:e2e_request_latency_seconds",
        "sglang:e2e_request_latency_seconds",
        "trtllm:e2e_request_latency_seconds",
    ),
    Measure.PREFILL: ("vllm:request_prefill_time_seconds",),
    Measure.DECODE: ("vllm:request_decode_time_seconds",),
}

GAUGES: dict[Measure, tuple[str, ...]] = {
    Measure.KV_USE: (
        "vllm:kv_cache_usage_perc",
        "vllm:gpu_cache_usage_perc",
        "sglang:token_usage",
        "trtllm:kv_cache_utilization",
        "trtllm:kv_cache_usage_perc",
    ),
}

MODEL_LABELS = ("model_name", "model", "served_model_name")
"""Labels under which the engines name the model, the first one present."""


def spelled(name: str) -> str:
    """A metric's name as this table compares it: `vllm_prompt_tokens_total` and with colons."""
    return name.replace(":", "_").removesuffix("_total")


TABLES = (COUNTERS, HISTOGRAMS, GAUGES)

KNOWN: dict[str, Measure] = {
    spelled(name): measure for table in TABLES for measure, names in table.items() for name in names
}
"""The measure behind each name as spelled."""

ORDER = {
    spelled(name): rank
    for table in TABLES
    for names in table.values()
    for rank, name in enumerate(names)
}
"""Of two names for one measure of one engine, the one that stands first is read."""


def engine_of(name: str) -> str:
    """The engine that a metric belongs to: the word before its first separator."""
    return spelled(name).partition("_")[0]


def pattern() -> str:
    """A regular expression for the names of every series an audit reads, as Prometheus has it."""
    stems = sorted({name.replace(":", "[:_]") for t in TABLES for n in t.values() for name in n})
    return f"({'|'.join(stems)})(_total|_sum|_count|_bucket)?"
