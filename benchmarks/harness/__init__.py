"""What all benchmarks share: the work, the clock, the machine, and the check that all sides do the same work."""
