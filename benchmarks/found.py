"""What the detectors find (precision, recall). How much of what is private, and how much that is not?

Both halves of the set of tests/privacy/detectors, made anew from their seed: by kind, how many there are, how
many are found, and how many findings are none; and every harmless line that is touched.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.privacy.detectors.search import find
from tests.privacy.detectors.evaluation_set import decoys, measured

COUNT = 400
SEED = 1


def main() -> None:
    for half in ("work", "held_out"):
        held, hit, wrong = measured(half, SEED, COUNT)
        print(f"{half}: {held.total()} sentences, seed {SEED}")
        for kind in sorted(held):
            precision = hit[kind] / max(1, hit[kind] + wrong[kind])
            recall = hit[kind] / held[kind]
            print(
                f"  {kind:15} {hit[kind]:4} of {held[kind]}  recall {recall:.3f}  precision {precision:.3f}"
            )
        recall, precision = hit.total() / held.total(), hit.total() / (hit.total() + wrong.total())
        print(f"  all                          recall {recall:.3f}  precision {precision:.3f}")
        touched = [line for line in decoys(half) if find(line)]
        print(f"  harmless lines touched: {len(touched)} of {len(decoys(half))} {touched or ''}")


if __name__ == "__main__":
    main()
