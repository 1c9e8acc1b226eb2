"""What the progress bars of all commands share."""

# A bar appears with the first progress: where the input is refused, there is the line that says so and nothing else.
BAR_DELAY_S = 0.001
