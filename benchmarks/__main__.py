"""Run all benchmarks in sequence: ``python -m benchmarks``, or ``make bench``."""

from benchmarks import engines, growth, interaction, laboratory, live, start, tracking, training

for one in (tracking, engines, start, interaction, laboratory, live, growth, training):
    print(f"--- {one.__name__}")
    one.main()
    print()
