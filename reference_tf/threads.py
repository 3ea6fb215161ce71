"""The thread budget of TensorFlow.

Fed by the suite's number of threads; it must reach TensorFlow before its first operation.
"""

import tensorflow as tf

OPERATIONS_AT_ONCE = 1


def configure(threads: int) -> None:
    """Give each operation `threads` threads, and start operations one after the other.

    The operations of a training step wait for one another anyway.

    Raises
    ------
    RuntimeError
        TensorFlow has run an operation already, with another budget; start a new process.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(OPERATIONS_AT_ONCE)
