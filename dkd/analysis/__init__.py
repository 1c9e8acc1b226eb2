"""Explain a trace: one map taken apart, kernels over time, worst moments, and use of the past."""
