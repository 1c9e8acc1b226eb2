"""All benchmarks, one after the other: ``python -m benchmarks``, or ``make bench``."""

from benchmarks import interaction, tracking, training

tracking.main()
print()
interaction.main()
print()
training.main()
