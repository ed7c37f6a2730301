"""The names under which logs keep what the audit needs: the documented table of synonyms.

A name matches without regard to case, spaces and punctuation, so `ContextTokens`, `context_tokens`
and `context-tokens` are one. A nested field is matched by its whole path
(`usage.prompt_tokens_details.cached_tokens`), else by its last part. Where two columns of a log fit
one role, the name that stands first in this table is used.
"""

from enum import StrEnum


class Role(StrEnum):
    """What a column of a request log means to the audit."""

    TIME = "time"
    INPUT = "input_tokens"
    OUTPUT = "output_tokens"
    CACHED = "cached_tokens"
    CACHE_READ = "cache_read_tokens"
    CACHE_WRITE = "cache_write_tokens"
    BLOCKS = "hash_ids"
    MODEL = "model"
    CLASS = "class"
    TTFT = "ttft"
    LATENCY = "latency"
    FIRST_AT = "first_token_time"
    END_AT = "end_time"


SYNONYMS: dict[Role, tuple[str, ...]] = {
    Role.TIME: (
        "timestamp",  # Azure, Mooncake (milliseconds), BurstGPT, Elastic (@timestamp)
        "arrival_time",  # Vidur, vLLM benchmark
        "arrived_at",
        "request_timestamp",
        "start_time_unix_nano",  # OpenTelemetry spans
        "start_time",  # LiteLLM spend logs (startTime)
        "request_start_ns",
        "request_start_time",
        "arrival_timestamp",  # Splitwise simulator
        "seconds",  # ServeGen excerpt
        "created_at",
        "created",  # OpenAI responses, epoch seconds
        "time_unix_nano",
        "timestamp_ms",
        "timestamp_us",
        "timestamp_ns",
        "timestamp_s",
        "arrival_ms",
        "arrival_s",
        "time_ms",
        "time_s",
        "time_generated",  # Azure Monitor
        "event_time",
        "datetime",
        "time",
        "ts",
    ),
    Role.INPUT: (
        "input_tokens",  # Anthropic, OpenAI responses, ServeGen
        "prompt_tokens",  # OpenAI, vLLM, SGLang, LiteLLM
        "gen_ai.usage.input_tokens",  # OpenTelemetry GenAI
        "gen_ai.usage.prompt_tokens",  # OpenTelemetry GenAI before 2025
        "context_tokens",  # Azure 2023
        "input_length",  # Mooncake
        "num_prefill_tokens",  # Vidur
        "num_prompt_tokens",  # vLLM
        "prompt_token_count",  # Gemini
        "input_token_count",
        "request_tokens",  # BurstGPT
        "input_sequence_length",  # genai-perf
        "prompt_size",  # Splitwise simulator
        "prompt_eval_count",  # Ollama
        "prompt_len",  # vLLM and SGLang benchmarks
        "prompt_length",
        "input_len",
        "isl",
        "n_input_tokens",
        "num_input_tokens",
        "tokens_in",
    ),
    Role.OUTPUT: (
        "output_tokens",
        "completion_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "generated_tokens",  # Azure 2023
        "output_length",  # Mooncake
        "num_decode_tokens",  # Vidur
        "num_generation_tokens",  # vLLM
        "candidates_token_count",  # Gemini
        "output_token_count",
        "response_tokens",  # BurstGPT
        "output_sequence_length",  # genai-perf
        "token_size",  # Splitwise simulator
        "generation_tokens",
        "eval_count",  # Ollama
        "output_len",
        "completion_length",
        "osl",
        "n_output_tokens",
        "num_output_tokens",
        "tokens_out",
    ),
    Role.CACHED: (
        "cached_tokens",  # OpenAI prompt_tokens_details, vLLM, SGLang
        "num_cached_tokens",  # vLLM
        "gen_ai.usage.cache_read.input_tokens",  # OpenTelemetry: part of the input tokens
        "gen_ai.usage.cached_tokens",
        "cached_input_tokens",
        "input_cached_tokens",
        "prompt_cache_hit_tokens",  # DeepSeek
        "cached_content_token_count",  # Gemini
        "cache_read_input_token_count",  # Bedrock
        "input_cache_read_tokens",
        "prefix_cache_hit_tokens",
    ),
    Role.CACHE_READ: ("cache_read_input_tokens",),  # Anthropic: beside the input tokens
    Role.CACHE_WRITE: ("cache_creation_input_tokens",),  # Anthropic: beside the input tokens
    Role.BLOCKS: ("hash_ids",),  # Mooncake: one id per block of the prompt, chained from its start
    Role.MODEL: (
        "model",
        "model_name",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "model_id",
        "model_group",  # LiteLLM
        "deployment",
        "deployment_name",  # Azure
    ),
    Role.CLASS: (
        "class",
        "workload_class",
        "workload",
        "request_class",
        "log_type",  # BurstGPT
        "request_type",
        "call_type",  # LiteLLM
        "gen_ai.operation.name",
        "application",
        "scenario",
        "route",
        "endpoint",
    ),
    Role.TTFT: (
        "ttft",
        "ttft_s",
        "ttft_ms",
        "time_to_first_token",
        "time_to_first_token_s",
        "time_to_first_token_ms",
        "gen_ai.server.time_to_first_token",
        "gen_ai.server.ttft",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.latency.time_to_first_token",  # spans of vLLM
        "first_token_latency",
        "mean_ttft",  # InferenceX: one row a run
        "mean_ttft_ms",  # vLLM benchmark: one row a run
    ),
    Role.LATENCY: (
        "latency",
        "latency_s",
        "latency_ms",
        "e2e_latency",
        "e2e_latency_s",
        "e2e_latency_ms",
        "e2el_ms",
        "request_latency",
        "request_latency_ms",
        "total_latency_ms",
        "gen_ai.server.request.duration",
        "gen_ai.latency.e2e",  # spans of vLLM
        "mean_e2el",  # InferenceX: one row a run
        "mean_e2el_ms",
        "duration",
        "duration_s",
        "duration_ms",
        "total_duration",  # Ollama, nanoseconds
        "elapsed_time",
        "elapsed_s",
        "elapsed_ms",
    ),
    Role.FIRST_AT: ("completion_start_time",),  # LiteLLM; the end itself where nothing streamed
    Role.END_AT: ("end_time", "end_time_unix_nano", "completed_at"),  # LiteLLM, OpenTelemetry
}

TEXT_NAMES = frozenset(
    {
        "prompt",
        "prompts",
        "messages",
        "message",
        "completion",
        "completions",
        "text",
        "content",
        "contents",
        "input",
        "inputs",
        "output",
        "outputs",
        "question",
        "answer",
        "query",
        "response",
        "responses",
        "request",
        "body",
        "conversation",
        "choices",
        "system",
        "systemprompt",
        "instructions",
        "generatedtext",
        "promptjson",
        "responsejson",
        "requestbody",
        "requestmessages",
        "responsemessages",
        "responsebody",
        "proxyserverrequest",
        "genaiprompt",
        "genaicompletion",
        "genaiinputmessages",
        "genaioutputmessages",
        "genaisysteminstructions",
        "toolcalls",
        "arguments",
        "reasoning",
        "thinking",
    }
)
"""Names of columns that hold what people wrote: never read, listed in the caveats."""

MILLISECOND_PAIR = ("inputlength", "outputlength")
"""Mooncake's pair of column names; its `timestamp` counts milliseconds since the start."""

UNIT_ENDINGS: dict[str, tuple[str, ...]] = {
    "ns": ("_ns", "nano", "nanos", "nanoseconds"),
    "us": ("_us", "micros", "microseconds"),
    "ms": ("_ms", "e2el_ms", "millis", "milliseconds"),
    "s": ("_s", "_sec", "seconds", "_secs"),
}
"""Endings of a column name that say its unit."""


def plain(name: str) -> str:
    """A name without case, spaces and punctuation, as the table compares it."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def named_unit(name: str) -> str | None:
    """The unit of time that a column name says, or None. `startTimeUnixNano` says "ns"."""
    low = name.lower()
    return next((u for u, ends in UNIT_ENDINGS.items() if low.endswith(ends)), None)
