"""Cost: what an environment costs a month, line by line, from how much it is used and a dated table of prices.

python -m deploy.infra.cost           prints deploy/COST.md
python -m deploy.infra.cost --check   fails where deploy/COST.md says something else
"""

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.infra.prices import Prices, newest

PAGE: Final = Path(__file__).parents[1] / "COST.md"
CAPACITY: Final = Path(__file__).with_name("capacity.md")
HOURS, SECONDS = 730.0, 2_628_000.0


@dataclass(frozen=True, slots=True)
class Use:
    """How an active user uses it, each month; deliberately on the high side."""

    requests: float = 900
    """Of the API: 30 a day."""
    request_s: float = 0.06
    """Of a request without a model, with 40 side by side on an instance."""
    plans: float = 3
    changes: float = 12
    chats: float = 20
    answer_s: float = 12
    """Until a whole answer is there: assumed."""
    answer_tokens: float = 450
    stored_mb: float = 2.0
    peak: float = 4.0
    """How many times the mean the busiest hour is."""

    @property
    def answers(self) -> float:
        """Answers of the model."""
        return self.plans + self.changes + self.chats


@dataclass(frozen=True, slots=True)
class Size:
    """An environment: what is always on, and how many people use it."""

    name: str
    users: int
    warm_instances: int
    sql_vcpu: int
    sql_gib: float
    sql_doubled: bool
    sql_disk_gib: int
    runs: int
    """Runs of the pipeline, each with a training of two hours."""
    model_server: bool


TOKENS_PER_S: Final = 60.0
"""That one L4 writes for three requests side by side: assumed, for there was no L4 to measure it on."""
SIZES: Final = (
    Size("dev, idle", 0, 0, 1, 3.75, False, 10, 0, False),
    Size("prod, 1k active users", 1_000, 6, 4, 15, True, 100, 4, True),
    Size("prod, 10k active users", 10_000, 6, 4, 15, True, 200, 4, True),
    Size("prod, 100k active users", 100_000, 8, 16, 60, True, 1_000, 4, True),
)


def machines(size: Size, use: Use) -> int:
    """Return how many model servers the busiest hour wants."""
    if not size.model_server:
        return 0
    tokens_per_s = size.users * use.answers * use.answer_tokens / SECONDS * use.peak
    return max(1, math.ceil(tokens_per_s / TOKENS_PER_S))


def lines(size: Size, use: Use, usd: Prices) -> dict[str, float]:
    """Return what each part costs a month."""
    requests = size.users * use.requests
    answers = size.users * use.answers
    busy_s = requests * use.request_s + answers * use.answer_s / 40
    warm_s = size.warm_instances * SECONDS
    sql = HOURS * (size.sql_vcpu * usd["sql_vcpu_h"] + size.sql_gib * usd["sql_gib_h"])
    servers = machines(size, use)
    writes = answers * 2 + size.runs * 2_000
    return {
        "Cloud Run, services": _beyond(busy_s, usd, "run_vcpu_s")
        + _beyond(busy_s * 0.5, usd, "run_gib_s")
        + max(0.0, requests / 1e6 - usd.free["run_requests_million"]) * usd["run_requests_million"]
        + warm_s * 0.1 * (usd["run_vcpu_s"] + 0.5 * usd["run_gib_s"]),
        "Model servers (g2-standard-8)": servers * (HOURS * usd["g2_standard_8_h"] + 200 * usd["disk_ssd_gib_month"]),
        "Trainings (Cloud Run, L4)": size.runs
        * 7_200
        * (usd["run_l4_s"] + 8 * usd["run_vcpu_instance_s"] + 32 * usd["run_gib_instance_s"]),
        "Cloud SQL": sql * (2 if size.sql_doubled else 1)
        + size.sql_disk_gib
        * (usd["sql_disk_gib_month"] * (2 if size.sql_doubled else 1) + usd["sql_backup_gib_month"]),
        "Network (connector, NAT, egress)": 2 * usd["connector_e2_micro_month"]
        + HOURS * usd["nat_gateway_h"]
        + requests * 4e-6 * usd["egress_gib"],
        "Front door (load balancer, Cloud Armor)": HOURS * usd["lb_rule_h"]
        + usd["armor_policy_month"]
        + 3 * usd["armor_rule_month"]
        + requests * 4e-6 * usd["lb_gib"]
        + requests / 1e6 * usd["armor_requests_million"],
        "Events, documents, objects": max(0.0, answers * 8e-9 - usd.free["pubsub_tib"]) * usd["pubsub_tib"]
        + max(0.0, writes / 1e5 - usd.free["firestore_writes_100k"]) * usd["firestore_writes_100k"]
        + (20 + size.users * use.stored_mb / 1e3) * usd["storage_gib_month"],
        "Logs, metrics, secrets, clocks": max(0.0, requests * 2e-6 - usd.free["logging_gib"]) * usd["logging_gib"]
        + (size.warm_instances + servers) * 0.09 * 200 * usd["metrics_samples_million"]
        + 8 * usd["secret_version_month"]
        + usd["scheduler_job_month"],
    }


def _beyond(amount: float, usd: Prices, name: str) -> float:
    return max(0.0, amount - usd.free[name]) * usd[name]


def page(usd: Prices, use: Use) -> str:
    """Return the page on cost and capacity."""
    costs = [lines(size, use, usd) for size in SIZES]
    totals = [sum(one.values()) for one in costs]
    heads = " | ".join(size.name for size in SIZES)
    rows = [f"| {part} | " + " | ".join(f"{one[part]:,.0f}" for one in costs) + " |" for part in costs[0]]
    users = " | ".join(
        "" if not size.users else f"{total / size.users:.3f}" for size, total in zip(SIZES, totals, strict=True)
    )
    answers = " | ".join(
        "" if not size.users else f"{1000 * total / (size.users * use.answers):.2f}"
        for size, total in zip(SIZES, totals, strict=True)
    )
    return "\n".join(
        [
            "# Cost and capacity",
            "",
            f"Made by `python -m deploy.infra.cost` from `deploy/prices/{usd.day}.yaml`: list prices in USD a month, "
            f"{usd.region} (us-central1 times {usd.region_factor:g}), no discounts. {len(usd.verified)} of "
            f"{len(usd.usd) + 1} numbers are verified; the table at the end says which. A plan, not a bill.",
            "",
            f"| USD a month | {heads} |",
            "|---|" + "---:|" * len(SIZES),
            *rows,
            "| **All** | " + " | ".join(f"**{total:,.0f}**" for total in totals) + " |",
            f"| of an active user | {users} |",
            f"| of a thousand answers | {answers} |",
            "| model servers | " + " | ".join(str(machines(size, use)) for size in SIZES) + " |",
            "",
            f"An active user: {use.requests:g} requests, {use.plans:g} plans, {use.changes:g} changes and "
            f"{use.chats:g} messages to the coach a month, {use.answer_tokens:g} tokens an answer, the busiest hour "
            f"{use.peak:g} times the mean. One L4 is assumed to write {TOKENS_PER_S:g} tokens a second for all: "
            "measure that first, because model servers are most of the bill.",
            "",
            CAPACITY.read_text(),
            *prices_table(usd),
            "",
        ]
    )


def prices_table(usd: Prices) -> list[str]:
    """Return the prices with where each stands, and whether it was read there."""
    numbers = {"region_factor": usd.region_factor, **usd.usd}
    rows = [
        f"| `{name}` | {number:.7g} | {usd.source(name)} | {'yes' if name in usd.verified else 'no'} |"
        for name, number in numbers.items()
    ]
    heads = ["| price | USD, us-central1 | stands on | verified |", "|---|---:|---|---|"]
    return [f"## Prices of {usd.day}", "", *heads, *rows]


def main() -> None:
    """Print the page, or hold the committed one against it."""
    made = page(newest(), Use())
    if "--check" not in sys.argv:
        sys.stdout.write(made)
    elif PAGE.read_text() != made:
        sys.exit(f"{PAGE.name} is stale: python -m deploy.infra.cost > deploy/COST.md")


if __name__ == "__main__":
    main()
