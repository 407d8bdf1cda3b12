"""The weights between two checkpoints of one network: often as good as the better one, and calmer than both.

python -m training.average A.pt B.pt --share 0.6 --out NEW.pt

After Wortsman et al., Model soups (ICML 2022): 0.4 of A's weights and 0.6 of B's; all else is B's. Both must come from
one training, else what lies between them means nothing. Fit the person's gain (training.fit_person_gain) anew after it.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor


def between(a: Mapping[str, Tensor], b: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """(1 - share) a + share b; what is not floating point is b's.

    Raises ValueError if they are not the weights of one network.
    """
    other = sorted(a.keys() ^ b.keys()) or [name for name in a if a[name].shape != b[name].shape]
    if other:
        raise ValueError(f"the checkpoints are of different networks ({other[0]}); expected two of one training")
    return {name: a[name].lerp(b[name], share) if b[name].is_floating_point() else b[name] for name in b}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a", type=Path)
    parser.add_argument("b", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of b, from 0 to 1")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    first, last = (torch.load(path, map_location="cpu", weights_only=True) for path in (args.a, args.b))
    torch.save(last | {part: between(first[part], last[part], args.share) for part in ("network", "ema")}, args.out)


if __name__ == "__main__":
    main()
