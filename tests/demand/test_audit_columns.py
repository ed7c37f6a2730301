"""Which column means what, and what is left at the door."""

import json

import pytest

from planner.demand.audit import audit
from planner.demand.logs.columns import find_roles
from planner.demand.logs.synonyms import SYNONYMS, TEXT_NAMES, Role, named_unit, plain
from planner.errors import AuditError

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

SECRET = "the merger closes on Friday"


def roles(*fields):
    return {r.value: ".".join(p) for r, p in find_roles("log", _paths(fields)).fields.items()}


def _paths(fields):
    return tuple((field,) if isinstance(field, str) else field for field in fields)


def write_lines(path, *records):
    path.write_text("\n".join(map(json.dumps, records)))
    return path


@pytest.mark.parametrize(
    ("fields", "time", "read", "written"),
    [
        ("TIMESTAMP,ContextTokens,GeneratedTokens", 0, 1, 2),
        ("timestamp,input_length,output_length,hash_ids", 0, 1, 2),
        ("seconds,input_tokens,output_tokens", 0, 1, 2),
        ("created,prompt_tokens,completion_tokens,total_tokens", 0, 1, 2),
        ("arrived_at,num_prefill_tokens,num_decode_tokens", 0, 1, 2),
        ("Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type", 0, 2, 3),
        ("startTime,gen_ai.usage.input_tokens,gen_ai.usage.output_tokens", 0, 1, 2),
        ("startTime,endTime,prompt_tokens,completion_tokens,total_tokens,model_group", 0, 2, 3),
        ("arrival_timestamp,prompt_size,token_size", 0, 1, 2),
    ],
)
def test_known_logs_are_read_without_configuration(fields, time, read, written):
    names = fields.split(",")
    found = roles(*names)
    assert found["time"] == names[time]
    assert found["input_tokens"] == names[read]
    assert found["output_tokens"] == names[written]


def test_no_name_stands_for_two_roles_or_is_text():
    names = [plain(name) for names in SYNONYMS.values() for name in names]
    assert len(names) == len(set(names))
    assert not TEXT_NAMES & set(names)
    assert all(plain(name) == name for name in TEXT_NAMES)


def test_the_first_synonym_wins_and_the_shallowest_field():
    found = roles("isl", "prompt_tokens", "osl", ("usage", "prompt_tokens"))
    assert found["input_tokens"] == "prompt_tokens"


def test_missing_roles_are_named_with_what_was_found(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("time,prompt_tokens,size\n1,2,3\n")
    with pytest.raises(AuditError) as refused:
        audit(path)
    said = str(refused.value)
    assert "log.csv" in said
    assert "no column for output_tokens" in said
    assert "'time', 'prompt_tokens', 'size'" in said
    assert "completion_tokens" in said


def test_the_reader_may_choose_columns(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("when,in,out\n0,5,6\n60,7,8\n")
    chosen = {"time": "when", "input_tokens": "in", "output_tokens": "out"}
    found = audit(path, columns=chosen)
    assert (found.input_tokens, found.output_tokens, found.arrivals.span_s) == (12, 14, 60)
    assert found.columns == chosen
    with pytest.raises(AuditError, match="cannot take 'nowhere' for 'time'"):
        audit(path, columns={**chosen, "time": "nowhere"})
    with pytest.raises(AuditError, match="roles are time, input_tokens"):
        audit(path, columns={**chosen, "colour": "in"})


def test_text_is_never_read_only_listed(tmp_path):
    record = {
        "ts": 1.0,
        "prompt": SECRET,
        "messages": [{"role": "user", "content": SECRET}],
        "response": {"text": SECRET, "usage": {"prompt_tokens": 7, "completion_tokens": 3}},
        "user": SECRET,
    }
    found = audit(write_lines(tmp_path / "log.jsonl", record, {**record, "ts": 2.5}))
    assert found.input_tokens == 14
    document = json.dumps(found.as_dict())
    assert SECRET not in document
    assert any("'prompt', 'messages', 'response.text'" in caveat for caveat in found.caveats)
    assert any("not used: 'user'" in caveat for caveat in found.caveats)


def test_a_long_label_is_taken_for_text_and_withheld(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(f"class,prompt_tokens,completion_tokens\n{SECRET * 9},1,1\nchat,1,1\n,1,1\n")
    found = audit(path)
    names = {share.name for share in found.by_class}
    assert names == {"chat", "(none)", "(withheld: too long for a name)"}
    assert SECRET not in json.dumps(found.as_dict())


def test_cached_tokens_inside_and_beside_the_input(tmp_path):
    """OpenAI counts cached tokens inside the prompt, Anthropic beside the input tokens."""
    inside = {"prompt_tokens": 100, "completion_tokens": 1, "cache_read_input_tokens": 60}
    beside = {
        "input_tokens": 30,
        "output_tokens": 1,
        "cache_read_input_tokens": 60,
        "cache_creation_input_tokens": 10,
    }
    one = audit(write_lines(tmp_path / "inside.jsonl", {"usage": inside}))
    two = audit(write_lines(tmp_path / "beside.jsonl", {"usage": beside}))
    assert (one.input_tokens, one.cached_tokens) == (100, 60)
    assert (two.input_tokens, two.cached_tokens) == (100, 60)
    assert any("beside" in caveat for caveat in two.caveats)
    assert two.workload()[0].cache_hit_frac == 0.6


def test_requests_without_a_cached_count_are_said(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("prompt_tokens,completion_tokens,cached_tokens\n10,1,5\n10,1,\n")
    found = audit(path)
    assert found.cached_tokens == 5
    assert any("1 requests without a cached count" in caveat for caveat in found.caveats)


def test_mooncake_blocks_seen_before_are_hits(tmp_path):
    """Three prompts by hand: 2 blocks new; 1 of 3 seen; all 3 seen, the last partly filled."""
    records = [
        {"timestamp": 0, "input_length": 1000, "output_length": 5, "hash_ids": [0, 1]},
        {"timestamp": 5000, "input_length": 1400, "output_length": 5, "hash_ids": [0, 2, 3]},
        {"timestamp": 9000, "input_length": 1400, "output_length": 5, "hash_ids": [0, 2, 3]},
    ]
    found = audit(write_lines(tmp_path / "log.jsonl", *records))
    assert found.cached_tokens == 0 + 512 + 1400


def test_requests_that_name_no_blocks_stay_unknown(tmp_path):
    records = [
        {"timestamp": t, "input_length": 600, "output_length": 5, "hash_ids": "?"} for t in range(3)
    ]
    found = audit(write_lines(tmp_path / "log.jsonl", *records))
    assert found.cached_tokens is None
    assert any("cached_tokens is null" in caveat for caveat in found.caveats)


def test_the_order_of_the_file_does_not_change_the_hits(tmp_path):
    records = [
        {"timestamp": 9000, "input_length": 1400, "output_length": 5, "hash_ids": [0, 2, 3]},
        {"timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [0, 2]},
    ]
    assert audit(write_lines(tmp_path / "log.jsonl", *records)).cached_tokens == 1024


def test_measured_latencies_give_the_time_share(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        "prompt_tokens,completion_tokens,ttft_ms,latency_s\n1,1,500,2\n1,1,1000,4\n1,1,9000,1\n"
    )
    found = audit(path)
    assert found.prefill_time_frac == 0.25
    assert any("measured" in caveat for caveat in found.caveats)
    assert not any("prefill_time_frac is null" in caveat for caveat in found.caveats)


def test_latencies_that_name_no_unit_are_milliseconds_when_seconds_are_absurd(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("prompt_tokens,completion_tokens,ttft_s,latency\n1,1,1,4000\n1,1,1,4000\n")
    assert audit(path).prefill_time_frac == 0.25


@pytest.mark.parametrize(
    ("name", "unit"),
    [("ttft_ms", "ms"), ("startTimeUnixNano", "ns"), ("seconds", "s"), ("timestamp", None)],
)
def test_a_name_may_say_its_unit(name, unit):
    assert named_unit(name) == unit


def test_every_role_has_names():
    assert set(SYNONYMS) == set(Role)


def test_a_role_may_be_taken_from_a_column_that_seems_to_play_it(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("prompt_tokens,completion_tokens,cached_tokens,shard\n100,10,40,3\n")
    found = audit(path, columns={"cached_tokens": "", "model": "shard"})
    assert found.cached_tokens is None
    assert [share.name for share in found.by_model] == ["3"]
    assert found.unread == ("cached_tokens",)
    with pytest.raises(AuditError, match="has no column for output_tokens"):
        audit(path, columns={"output_tokens": ""})
