"""Analysis of traces: anatomy of a map, kernels over time, worst moments, and reliance on the past."""
