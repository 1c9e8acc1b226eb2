"""Run all benchmarks in sequence: ``python -m benchmarks``, or ``make bench``."""

from benchmarks import engines, interaction, laboratory, start, tracking, training

tracking.main()
print()
engines.main()
print()
start.main()
print()
interaction.main()
print()
laboratory.main()
print()
training.main()
