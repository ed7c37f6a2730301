"""What a simulated run shows once it has settled: means and quantiles by CONTRACT's meanings."""

import numpy as np

from tests.oracle.simulator import Served

WARM_UP_FRAC = 0.1


def weighted_quantile(values: np.ndarray, weights: np.ndarray, quantile: float) -> float:
    """Smallest value at which the cumulative weight reaches the quantile."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    # sums of whole weights are exact, their ratio is not
    return float(values[order][np.searchsorted(reached, quantile * reached[-1] * (1 - 1e-12))])


def measured(served: Served, quantile: float = 0.99) -> dict[str, float]:
    """Mean and quantile of waits, first tokens and time per token, past the warm-up.

    tpot_mean_s is weighted by token, tpot_quantile_s by request, itl_quantile_s by iteration;
    none of these where no answer is longer than its first token.
    """
    settled = slice(int(len(served.wait_s) * WARM_UP_FRAC), None)
    shown = measured_waits(served.wait_s, quantile)
    shown |= {
        "ttft_mean_s": float(served.first_s[settled].mean()),
        "ttft_quantile_s": float(np.quantile(served.first_s[settled], quantile)),
    }
    several = served.tokens[settled] > 0
    if several.any():
        tpot, tokens = served.tpot_s[settled][several], served.tokens[settled][several]
        shown |= {
            "tpot_mean_s": float((tpot * tokens).sum() / tokens.sum()),
            "tpot_quantile_s": float(np.quantile(tpot, quantile)),
            "itl_quantile_s": weighted_quantile(served.gap_s, served.gap_count, quantile),
        }
    return shown


def measured_waits(wait_s: np.ndarray, quantile: float = 0.99) -> dict[str, float]:
    """Mean and quantile of the waits alone, past the warm-up."""
    wait = wait_s[int(len(wait_s) * WARM_UP_FRAC) :]
    return {
        "wait_mean_s": float(wait.mean()),
        "wait_quantile_s": float(np.quantile(wait, quantile)),
    }
