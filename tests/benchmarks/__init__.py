"""Speed and memory, as ratios to what the work costs by hand: ``python -m tests.benchmarks``, or ``make bench``.

Not part of the test suite, which a busy machine would make fail by chance. Every measurement runs in a process of its
own.
"""
