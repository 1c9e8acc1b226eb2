"""Run all benchmarks in sequence: ``python -m benchmarks``, or ``make bench``.

Those that compare with an earlier commit (``reload``, ``what_ifs``), need other files (``peers``) or a GPU (``gpu``),
or take an hour (``long_track``, ``long_video``) are run one by one.
"""

from benchmarks import engines, growth, interaction, laboratory, live, overhead, refined, start, tracking, training
from benchmarks import training_steps as steps

for one in (tracking, engines, refined, overhead, start, interaction, laboratory, live, growth, steps, training):
    print(f"--- {one.__name__}")
    one.main()
    print()
