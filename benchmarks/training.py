"""Training speed: `deepwright.fit` beside loops by hand, Lightning, HF, skorch, fastai, Keras and JAX.

    python benchmarks/training.py                            everything, about 25 minutes on two cores
    python benchmarks/training.py --only mlp --peers lightning,jax
    python benchmarks/training.py --device cuda
    python benchmarks/training.py --quick                    a smoke run of seconds, without peers

Same network, data, batch and epochs for everyone, each in a process of its own, with its log and progress on.
A time is CPU milliseconds per step on one thread: the best epoch after a warm-up, the median over processes; on a GPU
it is wall time. A ratio below 1.3 counts only over three processes or more; nothing counts while others keep more than
half a core busy (a load of 1.5 with the timed thread).
"""

import argparse
import sys
from pathlib import Path

from benchmarks.claims import Claim, at_least, at_most, finish, unmeasured
from benchmarks.peers import ALL, BEST, BEST_BF16, BY_HAND, CONTESTANTS, DEFAULT_FOLDER, OURS, OURS_BF16, TABLES
from benchmarks.race import Patience, Race, Result
from benchmarks.workloads import WORKLOADS, Workload

LIGHTNING_BARS = {
    "mlp": (2.7, 3.6),
    "mlp-2048": (5.0, 8.0),
    "cnn": (1.8, 2.6),
    "lstm": (1.65, 3.0),
    "transformer": (1.5, 2.2),
}
"""Lightning's time over ours: in float32, and with bfloat16 where its gate passes."""
MAX_OVER_BEST = 1.05
MAX_OVERHEAD_US = 30.0
MAX_OVER_JAX = 1.10
MIN_GPU_BUSY = 0.90
CLOSE = 1.3
"""A ratio nearer to 1 than this needs several processes: layouts of memory differ from one to the next."""
ENOUGH_PROCESSES = 3
NEAR_BAR = 1.05
LOSS_SLACK = 0.15
"""A contestant whose loss is higher than the loop by hand's by more than this did not do the same work."""

Results = dict[str, Result]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=ALL, action="append", help="this workload; may be given several times")
    parser.add_argument("--peers", help="comma-separated names; ours and the loops by hand always run")
    parser.add_argument("--epochs", type=int, help="of every process, the warm-up among them (at least 2)")
    parser.add_argument("--processes", type=int, default=3, help="of contestants that are close to ours or to a bar")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where peers are installed")
    parser.add_argument("--wait", type=float, default=900, help="seconds to wait for a quiet machine, in all")
    parser.add_argument("--quick", action="store_true", help="a smoke run: few rows, no peers, no claim about speed")
    given = parser.parse_args()
    if given.epochs is not None and given.epochs < 2:
        parser.error("--epochs: the first one is the warm-up; give at least 2")

    race = Race(given.folder, Patience(given.wait), given.device, given.epochs, given.quick)
    names = contestants(given.peers, given.device, given.quick)
    claims: list[Claim] = []
    times: dict[str, dict[str, float]] = {}
    for name in given.only or ALL:
        workload = WORKLOADS[name]
        results = raced(race, workload, names, 1 if given.quick else given.processes)
        print(table(workload, results, wall=given.device == "cuda"), flush=True)
        claims += same_work(workload, results)
        is_gpu = given.device == "cuda"
        times[name] = {who: round(each.ms(wall=is_gpu), 3) for who, each in results.items() if each.processes}
        if given.device == "cuda":
            claims += gpu_claims(workload, results)
        elif not given.quick:
            claims += speed_claims(workload, results)
            if name in TABLES:
                claims += two_threads(race, workload, names)
    return finish(claims, milliseconds=times)


def contestants(peers: str | None, device: str, is_quick: bool) -> list[str]:
    """Who runs, in the order of the table."""
    fitting = [name for name, each in CONTESTANTS.items() if (each.on_gpu if device == "cuda" else each.on_cpu)]
    own = [name for name in fitting if CONTESTANTS[name].environment is None]
    if is_quick:
        return [OURS, BEST, BY_HAND]
    if peers is None:
        return fitting
    wanted = [name for name in peers.split(",") if name]
    for name in wanted:
        if name not in fitting:
            raise SystemExit(f"--peers: {name!r} is not among {', '.join(fitting)}")
    return [name for name in fitting if name in own or name in wanted]


def raced(race: Race, workload: Workload, names: list[str], processes: int) -> Results:
    """Everyone once; those whose ratio to ours could turn are run again, in turn with ours."""
    results = {name: Result(CONTESTANTS[name]) for name in names}
    for name in names:
        race.run(CONTESTANTS[name], workload, results[name])
    again = close_ones(workload, results, wall=race.device == "cuda")
    for _ in range(processes - 1):
        for name in again:
            race.run(CONTESTANTS[name], workload, results[name])
    return results


def close_ones(workload: Workload, results: Results, *, wall: bool = False) -> list[str]:
    """Ours, and those whose time is too near to ours, or to their bar, for one process."""
    chosen = set()
    for mine in (OURS, OURS_BF16):
        if not is_timed(results, mine):
            continue
        for name in rivals(mine, results):
            ratio = results[name].ms(wall=wall) / results[mine].ms(wall=wall)
            bars = LIGHTNING_BARS[workload.name] if name == "lightning" else ()
            is_near_bar = any(1 / NEAR_BAR < ratio / bar < NEAR_BAR for bar in bars)
            if 1 / CLOSE < ratio < CLOSE or is_near_bar:
                chosen |= {mine, name}
    return [name for name in results if name in chosen]


def rivals(mine: str, results: Results) -> list[str]:
    """Those timed whom a claim compares with ours: float32 with float32, bfloat16 with its like and with Lightning."""
    is_bf16 = mine == OURS_BF16
    fitting = [name for name in results if ("bf16" in name) == is_bf16 or (is_bf16 and name == "lightning")]
    return [name for name in fitting if name != mine and is_timed(results, name)]


def speed_claims(workload: Workload, results: Results) -> list[Claim]:
    """What issue and documentation say about one thread of a CPU."""
    if not is_timed(results, OURS):
        return [Claim(f"{workload.title}: ours", None, "a time", None, results[OURS].missing)]
    ours, title = results[OURS], workload.title
    claims = []
    for name, result in results.items():
        if name in (OURS, OURS_BF16, BEST, BEST_BF16) or not is_timed(results, name):
            continue
        label = f"{title}: {result.contestant.title} / ours"
        ratio = result.ms() / ours.ms()
        if name == "lightning":
            fp32, bf16 = LIGHTNING_BARS[workload.name]
            claims.append(counted(at_least(f"{label}, fp32", ratio, fp32), ours, result))
            if is_timed(results, OURS_BF16):
                mixed = results[OURS_BF16]
                claim = at_least(f"{label}, bf16", result.ms() / mixed.ms(), bf16)
                claims.append(counted(claim, mixed, result))
        elif name == "jax":
            claims.append(counted(at_most(f"{title}: ours / JAX scan", 1 / ratio, MAX_OVER_JAX), ours, result))
        else:
            claims.append(counted(at_least(label, ratio, 1.0), ours, result))
    if is_timed(results, BEST):
        best = results[BEST]
        over = ours.ms() / best.ms()
        claims.append(counted(at_most(f"{title}: ours / best by hand", over, MAX_OVER_BEST), ours, best))
        if workload.name == "mlp":  # elsewhere a step takes so long that 30 us drown in its noise
            overhead = at_most(f"{title}: ours - best by hand", 1e3 * (ours.ms() - best.ms()), MAX_OVERHEAD_US, "us")
            claims.append(counted(overhead, ours, best))
    if is_timed(results, OURS_BF16) and is_timed(results, BEST_BF16):
        mixed, best = results[OURS_BF16], results[BEST_BF16]
        claim = at_most(f"{title}: ours / best by hand, bf16", mixed.ms() / best.ms(), MAX_OVER_BEST)
        claims.append(counted(claim, mixed, best))
    return claims


def gpu_claims(workload: Workload, results: Results) -> list[Claim]:
    """Faster than Lightning and HF in either precision, and a GPU that is not left waiting."""
    claims = []
    for mine, suffix in ((OURS, ""), (OURS_BF16, "-bf16-compiled")):
        if not is_timed(results, mine):
            claims.append(Claim(f"{workload.title}, GPU: {mine}", None, "a time", None, results[mine].missing))
            continue
        for peer in ("lightning", "hf"):
            if is_timed(results, peer + suffix):
                other = results[peer + suffix]
                label = f"{workload.title}, GPU: {other.contestant.title} / {results[mine].contestant.title}"
                claim = at_least(label, other.ms(wall=True) / results[mine].ms(wall=True), 1.0)
                claims.append(counted(claim, results[mine], other))
        busy = [each.busy for each in results[mine].processes if each.busy is not None]
        if workload.name in ("cnn", "transformer") and busy:
            claims.append(at_least(f"{workload.title}, GPU: share busy, {mine}", min(busy), MIN_GPU_BUSY, ""))
    return claims


def two_threads(race: Race, workload: Workload, names: list[str]) -> list[Claim]:
    """Wall time on two threads beside Keras on JAX, which uses them well; the others for information."""
    chosen = [name for name in names if name in (OURS, OURS_BF16, BEST, "keras-jax", "lightning")]
    if "keras-jax" not in chosen:
        return []
    results = {name: Result(CONTESTANTS[name]) for name in chosen}
    for number in range(ENOUGH_PROCESSES):
        for name in chosen:
            is_claimed = name in (OURS_BF16, "keras-jax")
            if not results[name].missing and (is_claimed or number == 0):
                race.run(CONTESTANTS[name], workload, results[name], threads=2)
    print(table(workload, results, wall=True, heading=f"{workload.title}, two threads, wall"), flush=True)
    bar = f"{workload.title}, two threads: Keras (JAX) / ours, bf16, wall"
    if not (is_timed(results, OURS_BF16) and is_timed(results, "keras-jax")):
        return [Claim(bar, None, ">= 1 x", None, results[OURS_BF16].missing or results["keras-jax"].missing)]
    mixed, keras = results[OURS_BF16], results["keras-jax"]
    return [counted(at_least(bar, keras.ms(wall=True) / mixed.ms(wall=True), 1.0), mixed, keras)]


def same_work(workload: Workload, results: Results) -> list[Claim]:
    """Everyone who was timed ends at about the loss of the loop by hand."""
    if not is_timed(results, BY_HAND):
        return [Claim(f"{workload.title}: by hand", None, "a time", None, results[BY_HAND].missing)]
    floor = results[BY_HAND].processes[0].loss
    losses = {name: max(each.loss for each in r.processes) for name, r in results.items() if r.processes}
    worst = max(losses, key=lambda name: losses[name])
    label = f"{workload.title}: highest loss above the loop by hand's ({worst})"
    return [at_most(label, losses[worst] - floor, LOSS_SLACK, "nats")]


def counted(claim: Claim, *results: Result) -> Claim:
    """The claim if the machine was quiet and, where the two are close, enough processes took part."""
    if not all(each.was_quiet for each in results):
        return unmeasured(claim, "the machine was not quiet")
    is_close = claim.value is not None and (1 / CLOSE < claim.value < CLOSE or claim.bar.endswith("us"))
    if is_close and min(len(each.processes) for each in results) < ENOUGH_PROCESSES:
        return unmeasured(claim, f"close; needs {ENOUGH_PROCESSES} processes")
    return claim


def is_timed(results: Results, name: str) -> bool:
    return name in results and bool(results[name].processes)


def table(workload: Workload, results: Results, *, wall: bool, heading: str = "") -> str:
    """Milliseconds per step of everyone, for people."""
    base = results[OURS].ms(wall=wall) if is_timed(results, OURS) else None
    lines = [
        f"\n{heading or workload.title}",
        f"{'':34}{'best ms':>10}{'median':>10}{'wall':>10}{'x ours':>8}{'loss':>8}{'runs':>6}  machine",
    ]
    for result in results.values():
        title = result.contestant.title
        if not result.processes:
            lines.append(f"{title:34}{'-':>10}  {result.missing}")
            continue
        own = result.ms(wall=wall)
        middle = sorted(each.median_cpu_ms for each in result.processes)[len(result.processes) // 2]
        ratio = "" if base is None else f"{own / base:.2f}"
        state = "quiet" if result.was_quiet else "LOADED"
        busy = "" if result.processes[0].busy is None else f", GPU busy {result.processes[0].busy:.0%}"
        lines.append(
            f"{title:34}{own:>10.3f}{middle:>10.3f}{result.ms(wall=True):>10.3f}{ratio:>8}"
            f"{result.processes[0].loss:>8.3f}{len(result.processes):>6}  {state}{busy}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
