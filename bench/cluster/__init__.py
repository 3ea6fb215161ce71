"""`scratchbench run --on …`: the cells of a run on many machines, over dask.distributed.

The head gives each machine one cell at a time and writes all records. All backends of a cell run on one machine.
"""
