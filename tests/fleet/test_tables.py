"""Tables of configurations by load: prefill pools by hand, groups of a replica, whole replicas."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.decision.assumptions import ledger_of
from planner.demand.scenario import Scenario
from planner.facts.catalog import load_catalog
from planner.fleet.curves import curves
from planner.fleet.fabric import Link
from planner.fleet.grid import Offer, grid
from planner.fleet.tables import (
    LOADS,
    Lazy,
    Offered,
    Table,
    decode_table,
    prefill_table,
    whole_table,
)
from planner.load.lengths import length_quantile_frac
from planner.load.queueing import chunked_replica, decode_pool, decode_pool_saturation_per_s
from tests.stand_ins import demand

ROW = np.array([0])
FAST = Link(1e30, 16.0, 0.0, 1.0, contiguous=True, overlap="layerwise")


def offered(per_s=1.0, prompt=1000.0, input_scv=0.0, output_scv=1.0, arrival_scv=1.0):
    return Offered(*(np.array([x]) for x in (per_s, prompt, input_scv, output_scv, arrival_scv)))


def prompts(service_s, per_s, *, link=FAST, room=10.0, groups=1.0, host_s=0.0, **changes):
    """A prefill table of one configuration of two chips whose prompts take `service_s`."""
    held = SimpleNamespace(
        prefill_s=np.array([service_s]),
        load_s=np.zeros(1),
        host_s=np.array([host_s]),
        kv_bytes_per_request=np.array([1e9]),
        grid=SimpleNamespace(
            groups=np.array([groups]),
            n_chips=np.array([2]),
            held_requests=np.array([room]),
            offers=(SimpleNamespace(model=SimpleNamespace(n_layers=50)),),
            of_offer=lambda values: np.array(values, float),
        ),
    )
    return prefill_table(held, offered(per_s, **changes), link, np.array([8]), 0.99, ROW)


def crommelin(wait_s, utilization):
    """P(W ≤ t) of M/D/1 with a service of one second (Crommelin 1932)."""
    terms = ((utilization * (wait_s - k), k) for k in range(int(wait_s) + 1))
    return (1 - utilization) * sum((-x) ** k / math.factorial(k) * math.exp(x) for x, k in terms)


class TestPrefillPool:
    def test_one_server_half_busy_with_constant_prompts(self):
        # M/D/1 at ρ = 1/2, D = 1 s. Crommelin's exact law has its p99 wait at 3.336 s.
        held = prompts(1.0, 0.5)
        alone = held.ttft_s[0, held.n_replicas[0] == 1]
        assert crommelin(3.336, 0.5) == pytest.approx(0.99, abs=1e-4)
        assert alone == pytest.approx(1 + 3.336, rel=0.15)

    def test_a_pool_of_many_waits_for_nothing_but_its_own_prompt(self):
        assert prompts(1.0, 0.5).ttft_s[0, 0] == pytest.approx(1)

    def test_the_longest_prompts_are_late_even_in_an_empty_pool(self):
        held = prompts(1.0, 0.5, input_scv=1.0)
        assert held.ttft_s[0, 0] == pytest.approx(length_quantile_frac(1.0, 0.99))

    def test_servers_are_whole_and_suffice(self):
        held = prompts(1.0, 37.0)
        assert np.all(held.n_replicas == np.round(held.n_replicas))
        assert np.all(held.n_replicas >= 37)

    @given(st.floats(0.1, 200), st.floats(0.01, 5), st.floats(0, 30))
    def test_a_busier_pool_never_answers_sooner(self, per_s, service_s, arrival_scv):
        held = prompts(service_s, per_s, arrival_scv=arrival_scv)
        assert np.all(np.diff(held.ttft_s[0]) >= -1e-9 * held.ttft_s[0, 1:])

    def test_the_servers_own_work_delays_a_prompt_and_holds_no_chip(self):
        """Taking in a request: 70 ms before its prompt may start, on the server's processor."""
        plain, later = prompts(1.0, 37.0), prompts(1.0, 37.0, host_s=0.07)
        assert later.ttft_s == pytest.approx(plain.ttft_s + 0.07)
        assert np.all(later.n_replicas == plain.n_replicas)

    def test_loads_run_from_little_to_nearly_full(self):
        assert 0 < LOADS[0] < 0.05
        assert 0.95 < LOADS[-1] < 1

    def test_each_attention_group_is_a_server(self):
        one, four = prompts(1.0, 37.0), prompts(1.0, 37.0, groups=4.0)
        assert four.n_replicas == pytest.approx(one.n_replicas / 4)
        assert four.ttft_s == pytest.approx(one.ttft_s)

    def test_the_hand_off_ends_the_first_token(self):
        # 1 GB over 2 GB/s, all of it seen: half a second where nothing else is sent
        link = Link(2e9, 16.0, 0.0, 1.0, contiguous=True, overlap="none")
        assert prompts(1.0, 0.01, link=link).ttft_s[0, 0] == pytest.approx(1.5, rel=0.02)

    def test_links_of_few_nodes_fill_up(self):
        link = Link(1e9, 16.0, 0.0, 1.0, contiguous=True, overlap="none")
        held = prompts(1.0, 37.0, link=link)
        assert np.isfinite(held.ttft_s[0, 0])  # 925 servers of two chips are 231 nodes
        assert np.isinf(held.ttft_s[0, -1])  # 39 servers are 9 nodes, for 37 GB each second


class TestBackPressure:
    def test_caches_wait_while_there_is_room_for_them(self):
        # ten caches, one of them under way: at 1/s over 2 servers each may wait 9 x 2 s
        held = prompts(1.0, 1.0, room=10.0)
        two = held.n_replicas[0] == 2
        assert held.patience_s[0, two] == pytest.approx(18)

    def test_without_room_for_a_second_one_a_server_waits_for_the_transfer(self):
        link = Link(2e9, 16.0, 0.0, 1.0, contiguous=True, overlap="layerwise")
        roomy, tight = (prompts(1.0, 37.0, link=link, room=room) for room in (2.0, 1.5))
        assert tight.full_per_s == pytest.approx(roomy.full_per_s / 1.5)
        assert np.all(tight.n_replicas >= roomy.n_replicas)


CATALOG = load_catalog()
LEDGER = ledger_of(Scenario(profile="axiom"), CATALOG)
CHAT = demand(per_s=200.0, prompt=1155.0, answer=211.0, input_scv=0.9, output_scv=0.6)
PLAIN = Scenario(profile="axiom").software


def timed(model="llama-3.3-70b", chip="h100-sxm", chunks=(512.0,), **software):
    software = PLAIN.model_copy(update=software)
    chips = (CATALOG.accelerators[chip],)
    return curves(
        grid([Offer(CHAT, CATALOG.models[model], software, chips, chunks)], LEDGER), LEDGER
    )


def first(held, tp, attention_dp=1):
    layout = held.grid.layout
    return np.flatnonzero((layout.tp == tp) & (layout.attention_dp == attention_dp))[:1]


def asked_of(held):
    source = CHAT.source
    each = CHAT.peak_per_s, 1155.0, source.input_scv, source.output_scv, source.arrival_scv
    return Offered(*(np.full(len(held.grid), x) for x in each))


class TestGroups:
    def test_a_decode_replica_of_sixteen_attention_groups_is_sixteen_pools(self):
        held = timed("deepseek-v3", "h200-sxm", (), weight_precision="fp8")
        row = first(held, 1, attention_dp=16)
        found = decode_table(held, asked_of(held), 0.99, row)
        steps = held.full(held.decode_s, row)[0, 1:]
        full = decode_pool_saturation_per_s(held.iterations[row], steps)
        one = decode_pool(LOADS[9] * full, held.iterations[row], steps, output_scv=0.6)
        assert found.full_per_s[0, 0] == pytest.approx(16 * full[0])
        assert found.tpot_s[0, 9] == pytest.approx(one.tpot_quantile_s[0])
        assert found.batch[0, 9] == pytest.approx(16 * one.batch_mean[0])


class TestWhole:
    def test_a_replica_alone_answers_as_its_law_says(self):
        held = timed()
        row = first(held, 4)
        found = whole_table(held, asked_of(held), 0.99, row)
        decode, mixed = held.full(held.decode_s, row)[0], held.full(held.mixed_s, row)[0]
        mixed[0] = held.idle_mixed_s[row][0]
        rate = LOADS[11] * found.full_per_s[0, 0]
        answers = 1 + held.iterations[row][0]
        one = chunked_replica(rate, 1155.0, 0.9, answers, decode, mixed, 512.0, output_scv=0.6)
        assert found.tpot_s[0, 11] == pytest.approx(one.tpot_quantile_s)
        assert found.n_replicas[0, 11] == pytest.approx(200 / rate)

    def test_the_servers_own_work_comes_before_the_first_token(self):
        held = timed()
        row, taken_s = first(held, 4), held.host_s
        plain = replace(held, host_s=np.zeros_like(taken_s))
        before, after = (whole_table(one, asked_of(held), 0.99, row) for one in (plain, held))
        assert 0.01 < taken_s[row][0] < 1
        assert after.ttft_s == pytest.approx(before.ttft_s + taken_s[row][0])
        assert after.tpot_s == pytest.approx(before.tpot_s)

    def test_chunks_and_whole_prompts_can_be_asked_together(self):
        both = grid(
            [
                Offer(
                    CHAT,
                    CATALOG.models["llama-3.3-70b"],
                    PLAIN.model_copy(update={"chunked_prefill": chunked}),
                    (CATALOG.accelerators["h100-sxm"],),
                    (512.0,),
                )
                for chunked in (False, True)
            ],
            LEDGER,
        )
        held = curves(both, LEDGER)
        rows = np.arange(len(both))[::-1].copy()
        together = whole_table(held, asked_of(held), 0.99, rows)
        for place, row in enumerate(rows):
            alone = whole_table(held, asked_of(held), 0.99, np.array([row]))
            assert together.ttft_s[place] == pytest.approx(alone.ttft_s[0])


def test_rows_are_computed_once_and_in_any_order():
    computed = []

    def compute(rows):
        computed.extend(rows.tolist())
        column = rows[:, None] * np.ones(3)
        return Table(column, column, column, column, column, rows[:, None] * 1.0)

    lazy = Lazy(compute, 5)
    assert lazy.at(np.array([3, 1])).ttft_s[:, 0].tolist() == [3, 1]
    assert lazy.at(np.array([1, 4, 3])).ttft_s[:, 0].tolist() == [1, 4, 3]
    assert computed == [1, 3, 4]
