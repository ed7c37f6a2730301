"""A file is read whole: what is wrong gets a sentence, and the other rows are still answered."""

import io

import numpy as np
import pytest
from hypothesis import given as tried_with
from hypothesis import strategies as st

from planner.errors import PredictError
from planner.evidence.points import checked, measured_problems, read_points
from planner.evidence.predict import COLUMNS, predict, summary
from tests.evidence.stand_ins import CATALOG, ROW, SPLIT, answers, given, problem, read
from tests.evidence.stand_ins import shipped_rows as shipped

HEADER, LINE = ",".join(ROW), ",".join(ROW.values())
NUMBERS = ("n_accelerators", "tp", "input_tokens", "output_tokens", "concurrency", "decode_ep")
OUTSIDE = ("-8", "0", "1e308", "-1e308")
NO_NUMBERS = ("many", "1,024", "1 024", "8 chips", "0x10", "1_000", "inf", "-inf", "--8", "1e999")
BLANKS = ("", "  ", "nan", "NaN", "null", "None")


def written(tmp_path, content):
    path = tmp_path / "points.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def answered(path):
    return predict(read_points(path, CATALOG), CATALOG)


def problems(*rows):
    return list(read(*rows).problems)


def is_one_sentence(text):
    return text.endswith(".") and ". " not in text and "\n" not in text


@pytest.mark.parametrize("column", ["model", "accelerator", "input_tokens", "output_tokens"])
def test_a_file_without_a_needed_column_is_refused(column, tmp_path):
    table = given({}).drop(columns=column)
    path = written(tmp_path, table.to_csv(index=False))
    with pytest.raises(PredictError, match=f"points.csv lacks {column}; needed are") as refusal:
        read_points(path, CATALOG)
    assert is_one_sentence(str(refusal.value).replace("points.csv", "points"))


@pytest.mark.parametrize("column", ["n_accelerators", "tp", "engine", "weight_precision"])
def test_other_columns_may_be_missing(column):
    table = given({}).drop(columns=column)
    assert (predict(checked(table, CATALOG), CATALOG)["refused"] == "").all()


NEAR = (
    ("model", "llama-3.1", "did you mean llama-3.1-8b?"),
    ("model", "DeepSeek-R1", "did you mean deepseek-r1?"),
    ("model", "deepseek-r1-0528", "did you mean deepseek-r1?"),
    ("model", "gpt-9", "the Hardware page lists what is."),
    ("accelerator", "h200", "did you mean h200-sxm?"),
    ("accelerator", "MI355X", "did you mean mi355x?"),
    ("accelerator", "abacus", "the Hardware page lists what is."),
)


def test_an_unknown_name_is_told_with_the_near_one():
    assert problems(*({column: text} for column, text, _ in NEAR)) == [
        f"{column}: {text} is not in the catalog; {hint}" for column, text, hint in NEAR
    ]


@pytest.mark.parametrize("column", ["weight_precision", "kv_precision"])
def test_an_unknown_precision_names_the_known_ones(column):
    allowed = "bf16, fp8, int8, fp4, mxfp4, int4"
    assert problem(**{column: "fp7"}) == f"{column}: fp7 is unknown; allowed are {allowed}."


def test_an_unknown_mode_names_the_known_ones():
    said = problem(mode="hybrid")
    assert said == (
        "mode: hybrid is unknown; allowed are monolithic, disaggregated, prefill_only, decode_only."
    )


def test_models_and_chips_of_which_too_little_is_published_say_what_lacks():
    assert "cannot be timed" in problem(model="mistral-large-4")
    assert "no published dense peak compute" in problem(accelerator="cerebras-wse3")


@pytest.mark.parametrize("column", ["n_accelerators", "tp", "concurrency", "decode_ep"])
def test_text_where_a_number_must_be_is_shown(column):
    assert problems(*({column: text} for text in NO_NUMBERS)) == [
        f"{column}: {text} is no finite number; write 12.5 or leave it blank."
        for text in NO_NUMBERS
    ]


def test_long_text_is_cut_short():
    assert len(problem(tp="9x" * 5000)) < 120


@pytest.mark.parametrize("column", ["input_tokens", "output_tokens"])
def test_text_where_a_needed_number_must_be_is_told_once(column):
    said = problem(**{column: "1,024"})
    assert said.startswith(f"{column}: 1,024 is no finite number")
    assert is_one_sentence(said.replace("12.5", "12"))
    assert "blank" not in said


@pytest.mark.parametrize("column", ["model", "accelerator", "input_tokens", "output_tokens"])
def test_a_blank_where_something_is_needed_is_called_blank(column):
    assert problem(**{column: ""}) == f"{column} is blank; it is needed."


def test_spaces_around_a_name_of_a_column_do_not_matter(tmp_path):
    header = HEADER.replace(",", " , ")
    assert list(answered(written(tmp_path, f"{header}\n{LINE}\n"))["refused"]) == [""]


@pytest.mark.parametrize("column", NUMBERS)
def test_a_number_out_of_bounds_is_told_with_its_bounds(column):
    for said in problems(*({column: text} for text in OUTSIDE)):
        assert said.startswith(f"{column}: ")
        assert " is outside " in said
        assert is_one_sentence(said)


def test_bounds_are_inside():
    assert problem(input_tokens="1", output_tokens="1", tp="1", n_accelerators="1") == ""
    assert problem(cached_input_tokens="0") == ""


@pytest.mark.parametrize("column", ["input_tokens", "output_tokens"])
def test_a_blank_where_a_number_is_needed_is_told(column):
    said = problems(*({column: text} for text in BLANKS))
    assert set(said) == {f"{column} is blank; it is needed."}


def test_blanks_elsewhere_are_no_problem():
    open_ = ("n_accelerators", "tp", "weight_precision", "engine")
    assert set(problems(*(dict.fromkeys(open_, text) for text in BLANKS))) == {""}


def test_each_problem_of_a_row_has_its_own_sentence():
    said = problem(model="gpt-9", tp="-1", mode="hybrid")
    assert [name for name in ("model:", "tp:", "mode:") if name in said] == [
        "model:",
        "tp:",
        "mode:",
    ]


def test_good_rows_are_answered_beside_bad_ones():
    bad = [{"model": "gpt-9"}, {"tp": "many"}, {"concurrency": "-1"}, {"output_tokens": ""}]
    alone = answers({"concurrency": "8"}, SPLIT)
    mixed = answers(bad[0], {"concurrency": "8"}, *bad[1:3], SPLIT, bad[3])
    assert list(mixed["refused"] != "") == [True, False, True, True, False, True]
    assert mixed[list(COLUMNS)].iloc[[0, 2, 3, 5]].isna().all(axis=None)
    np.testing.assert_array_equal(mixed[list(COLUMNS)].iloc[[1, 4]], alone[list(COLUMNS)])


def test_the_summary_counts_and_names_rows_as_a_spreadsheet_does():
    found = answers({}, {"tp": "-1"}, {}, {"model": "gpt-9"}, {"tp": "0"})
    lines = summary(found, 2).splitlines()
    assert lines[0] == "2 of 5 rows answered."
    assert lines[1].startswith("Row 3: tp: -1")
    assert lines[2].startswith("Row 5: model: gpt-9")
    assert lines[3] == "And 1 more; see the column refused."


ABSURD = (
    ("tpot_s", "25", True),
    ("ttft_s", "54321", True),
    ("tpot_s", "-0.02", True),
    ("output_tokens_per_s_per_accelerator", "-3", False),
    ("power_w_per_accelerator", "0.7", False),
    ("energy_j_per_output_token", "1e9", False),
)


def test_an_absurd_measurement_is_recognised():
    found = measured_problems(read(*({column: text} for column, text, _ in ABSURD)))
    for said, (column, _, is_hinted) in zip(found, ABSURD, strict=True):
        assert said.startswith(f"{column}: ")
        assert " is outside " in said
        assert ("Is it in milliseconds?" in said) == is_hinted


def test_a_plausible_measurement_is_no_problem():
    row = {"ttft_s": "0.2", "tpot_s": "0.01", "power_w_per_accelerator": "500"}
    assert measured_problems(read(row)).iloc[0] == ""


@pytest.mark.parametrize(("column", "text"), [("tpot_s", "8.4"), ("ttft_s", "23000")])
def test_usual_times_in_milliseconds_are_recognised(column, text):
    row = {"concurrency": "1", column: text}
    assert "milliseconds" in measured_problems(read(row)).iloc[0]


def test_a_measurement_that_is_no_number_is_told():
    assert "tpot_s" in measured_problems(read({"tpot_s": "12,5 ms"})).iloc[0]


def test_a_prediction_does_not_mind_absurd_measurements():
    fine, absurd = answers({}, {"ttft_s": "-1", "tpot_s": "fast"})[[*COLUMNS, "refused"]].to_numpy()
    assert list(fine) == list(absurd)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + f"{HEADER}\n{LINE}\n".encode(),
        f"{HEADER}\r\n{LINE}\r\n",
        f"{HEADER}\n{LINE}",
        f"\n{HEADER}\n\n{LINE}\n\n",
        f"{HEADER}\n{LINE}\n".replace(",", ", "),
        f"{HEADER}\n{LINE}\n".replace("vllm", '"vllm"'),
    ],
    ids=["BOM", "CRLF", "no last newline", "blank lines", "spaces", "quotes"],
)
def test_the_dialects_of_csv_are_one(content, tmp_path):
    found = answered(written(tmp_path, content))
    assert list(found.columns[: len(ROW)]) == list(ROW)
    assert list(found[list(COLUMNS)].iloc[0]) == list(answers({})[list(COLUMNS)].iloc[0])


def test_columns_that_nobody_knows_are_kept_in_order(tmp_path):
    content = f"zeta,{HEADER},alpha,refused\n007,{LINE},é,no\n"
    found = answered(written(tmp_path, content))
    assert list(found) == ["zeta", *ROW, "alpha", *COLUMNS, "refused"]
    assert list(found[["zeta", "alpha", "refused"]].iloc[0]) == ["007", "é", ""]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n\n", b"\0" * 99, bytes(range(256)) * 9, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        f"{HEADER}\n{LINE}\n".encode("utf-16"), f"{HEADER}\n{LINE},µ\n".encode("latin-1"),
        f'{HEADER}\n"{LINE}\n'.encode(), f"{HEADER}\n{LINE}\n{LINE},1,2\n".encode(),
        f"{HEADER}\n{LINE}\n".replace(",", ";").encode(),
    ],
)  # fmt: skip
def test_what_is_no_csv_is_refused(content, tmp_path):
    path = written(tmp_path, content)
    with pytest.raises(PredictError, match=r"points\.csv"):
        read_points(path, CATALOG)


@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_a_missing_file_and_a_directory_are_refused(name, tmp_path):
    with pytest.raises(PredictError, match="cannot be read as a CSV"):
        read_points(tmp_path / name, CATALOG)


def test_a_header_without_rows_is_answered_with_none(tmp_path):
    assert len(answered(written(tmp_path, HEADER + "\n"))) == 0


def test_a_comma_at_the_end_of_lines_shifts_nothing(tmp_path):
    found = answered(written(tmp_path, f"{HEADER}\n{LINE},\n{LINE},\n"))
    assert list(found["refused"]) == ["", ""]


def test_names_come_from_streams_too():
    assert len(read_points(io.StringIO(f"{HEADER}\n{LINE}\n"), CATALOG).table) == 1


REAL = shipped("serving.csv").drop_duplicates(["mode", "load", "engine", "accelerator"])
CELLS = st.one_of(
    st.sampled_from((*OUTSIDE, *NO_NUMBERS, "", "nan", "1", "7", "0.3", "65536", "TP4PP2", "1e6")),
    st.sampled_from(
        ("open loop", "offline", "static", "DEP8", "mtp9", "2026-13-99", "prefill_only")
    ),
    st.text(max_size=8),
    st.floats(allow_nan=False).map(str),
)


@tried_with(
    st.lists(
        st.tuples(st.integers(0, len(REAL) - 1), st.sampled_from(list(REAL)), CELLS),
        min_size=1,
        max_size=4,
    )
)
def test_no_cell_makes_it_fail_or_answer_a_refused_row(changes):
    table = REAL.iloc[[row for row, _, _ in changes]].reset_index(drop=True)
    for n, (_, column, text) in enumerate(changes):
        table.loc[n, column] = text
    found = predict(checked(table, CATALOG), CATALOG)
    assert len(found) == len(table)
    refused = (found["refused"] != "").to_numpy()
    numbers = found[list(COLUMNS)].to_numpy()
    assert np.isnan(numbers[refused]).all()
    assert not np.isinf(numbers).any()
    assert (numbers[~np.isnan(numbers)] > 0).all()
