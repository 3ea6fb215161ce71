"""The network of a spec as plain Keras, and the ways that TensorFlow can train it.

Fed by `bench.spec` and NumPy arrays; feeds the backends `keras-fit`, `keras-fit-tuned`, `tf-graph` and `tf-xla`.
"""
