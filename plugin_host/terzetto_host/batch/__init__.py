"""Batches: thousands of files through one job, on the cores of a machine or on a cluster.

::

    inputs, pairing      what there is to do, and what goes with it
    manifest             what was done: one line a file, for resuming
    worker, isolation    a process for the work, and the hand that holds it
    crew, cluster        many of them: here, or on other machines
    run                  the whole of it, behind `terzetto process` and `terzetto separate`
"""
